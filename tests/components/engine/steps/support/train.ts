import { openEngine } from '../../../../../components/engine/open.ts';
import type { EngineOptions, HostOf, HostTensor, Step } from '../../../../../components/engine/types.ts';
import type { HostTree } from '../../../../../components/nn/tree.ts';
import {
  type FitBatch,
  type FitState,
  type Named,
  type Objective,
  trainingStep,
} from '../../../../../components/training/objective.ts';
import { initMoments } from '../../../../../components/training/optimizer.ts';
import { planTraining, type Recipe } from '../../../../../components/training/recipe.ts';
import { cosine, stepScalars } from '../../../../../components/training/schedule.ts';
import { flatten } from '../../../../../components/weights/safetensors.ts';

/** A whole training: the component's own step, first state, frozen weights and batches. */
export interface Training<S, B, O, C> {
  readonly name: string;
  readonly steps: number;
  readonly step: Step<S, B, O, C>;
  readonly state: HostOf<S>;
  readonly constants: HostOf<C>;
  /** The batch of a step, 0-based. */
  batch(index: number): HostOf<B>;
}

/**
 * The training of an objective from given weights. `batch` gives that of a step; the scalars of the optimiser are those of
 * the recipe.
 */
export function trainingOf<P, B, T, C, R, A extends Named>(
  name: string,
  objective: Objective<P, B, T, C, R, A>,
  recipe: Recipe,
  first: { readonly parameters: HostOf<P>; readonly rest?: HostOf<R> },
  batch: (step: number) => HostOf<B>,
) {
  const { steps, warmup } = planTraining(recipe, 0);
  const { learningRate, minLearningRate = 0, betas } = recipe;
  const { parameters, rest } = first;
  const state = { parameters, moments: initMoments(parameters), ...(rest === undefined ? {} : { rest }) };
  const training = {
    name,
    steps,
    step: trainingStep(objective, recipe),
    state: state as unknown as HostOf<FitState<P, R>>,
    constants: (objective.constants ?? {}) as HostOf<C>,
    batch: (step: number) =>
      ({
        batch: batch(step),
        stepScalars: stepScalars(step, cosine(learningRate, minLearningRate, { step, steps, warmup }), betas),
      }) as unknown as HostOf<FitBatch<B>>,
  };
  return training satisfies Training<FitState<P, R>, FitBatch<B>, Named, C>;
}

export type Tensors = { readonly [path: string]: HostTensor };

export interface History {
  /** What the step put out, by name, one number a step. */
  readonly out: { readonly [name: string]: readonly number[] };
  /** The whole state by path after 0, 1, 2, ... steps, as far as asked for. */
  readonly after: { readonly [steps: number]: Tensors };
}

/** Trains for all steps on an engine and keeps the state after those numbers of steps. */
export async function train<S, B, O, C>(
  options: EngineOptions,
  { name, steps, step, state: first, constants, batch }: Training<S, B, O, C>,
  keep: readonly number[],
): Promise<History> {
  const engine = await openEngine(options);
  const state = engine.state<S>(first);
  const program = await engine.compile<S, B, O, C>({
    name,
    step,
    state,
    // A tensor on the host has the fields of its own specification.
    batch: batch(0) as never,
    constants,
  });
  const out: { [name: string]: number[] } = {};
  const after: { [steps: number]: Tensors } = {};
  for (let index = 0; index < steps; index++) {
    const results = (await program.run(batch(index))) as Tensors;
    for (const [key, { data }] of Object.entries(results)) {
      out[key] ??= [];
      out[key].push(data[0]);
    }
    if (keep.includes(index + 1)) after[index + 1] = namedState(state.read());
  }
  engine.dispose();
  state.dispose();
  return { out, after };
}

/** By path, as the fixtures name it: what no gradient moves is the codebook. */
export function namedState(state: unknown): Tensors {
  const { rest, ...others } = state as { readonly [part: string]: HostTree };
  return flatten(rest ? { ...others, codebook: rest } : others);
}

/** Computes a function of frozen weights and a batch once. */
export async function compute<B, O, C>(
  options: EngineOptions,
  weights: HostOf<C>,
  batch: HostOf<B>,
  forward: (weights: C, batch: B) => O,
): Promise<HostOf<O>> {
  const engine = await openEngine(options);
  const state = engine.state<Record<string, never>>({});
  const program = await engine.compile<Record<string, never>, B, O, C>({
    name: 'forward',
    step: (nothing, given, constants) => ({ state: nothing, out: forward(constants, given) }),
    state,
    batch: batch as never,
    constants: weights,
  });
  const out = await program.run(batch);
  engine.dispose();
  state.dispose();
  return out;
}
