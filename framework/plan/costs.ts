import type { WiredInput, WiredInputs } from '../stage/component.ts';
import { type Costs, countFlops } from '../stage/costs.ts';
import { valueAt } from '../stage/issues.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { Edges, StageNode } from './types.ts';

/**
 * What a stage computes, as its component says; of a rung of a halving the part that it trains. Undefined where that
 * isn't known.
 */
export function costsOf(node: StageNode): Costs | undefined {
  const { component, inputs } = node;
  let costs: Costs | undefined;
  try {
    costs = component.costs?.(describe(inputs));
  } catch {
    return undefined; // a plan is no worse without it
  }
  if (costs === undefined) return undefined;
  const { parameters, flops, images, memory } = costs;
  const whole = known(images);
  return {
    ...field('parameters', known(parameters)),
    ...(flops && known(countFlops(flops)) !== undefined ? { flops } : {}),
    ...field('images', whole === undefined ? undefined : whole * shareOf(node)),
    ...field('memory', known(memory)),
  };
}

/** All operations of a stage; undefined where they can't be counted. */
export function workOf({ flops, images }: Costs): number | undefined {
  return flops && images !== undefined ? countFlops(flops) * images : undefined;
}

/** As it is recorded with a result. */
export function costsAsJson({ parameters, flops, images, memory }: Costs): JsonObject {
  return {
    parameters: parameters ?? null,
    denseFlops: flops?.dense ?? (flops ? 0 : null),
    convFlops: flops?.conv ?? (flops ? 0 : null),
    images: images ?? null,
    memory: memory ?? null,
  };
}

export function costsFromJson(recorded: Json | undefined): Costs | undefined {
  if (typeof recorded !== 'object' || recorded === null || Array.isArray(recorded)) return undefined;
  const { parameters, denseFlops, convFlops, images, memory } = recorded as JsonObject;
  const [dense, conv] = [known(denseFlops), known(convFlops)];
  return {
    ...field('parameters', known(parameters)),
    ...(dense !== undefined && conv !== undefined ? { flops: { dense, conv } } : {}),
    ...field('images', known(images)),
    ...field('memory', known(memory)),
  };
}

function describe(edges: Edges): WiredInputs {
  return Object.fromEntries(
    Object.entries(edges).map(([name, edge]): [string, WiredInput] => {
      const { provides = {}, use } = edge.type === 'stage' ? edge.stage.component : edge.component;
      return [name, { name, facts: provides, ...(use ? { use } : {}) }];
    }),
  );
}

/** The part of its training that a stage does: all of it, unless it is a rung. */
function shareOf({ component, until, after }: StageNode): number {
  if (until === undefined && after === undefined) return 1;
  const length = component.steps && valueAt(component.config, component.steps.split('.'));
  if (typeof length !== 'number' || length <= 0) return 1;
  return Math.max(0, (until ?? length) - (after?.previous.until ?? 0)) / length;
}

function known(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function field<Name extends string>(
  name: Name,
  value: number | undefined,
): { readonly [N in Name]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: number };
}
