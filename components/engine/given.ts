import { residentLeaves, specLeaves } from './check.ts';
import type { Owned } from './owned.ts';
import type { AnyStep } from './step.ts';
import type { Leaves, TreeOf } from './tree.ts';
import type { HostTensor, ProgramOptions, State, TensorSpec } from './types.ts';
import { EngineError } from './types.ts';

/** What a program is made of, checked. */
export interface Given<OwnState> {
  readonly name: string;
  readonly step: AnyStep;
  readonly state: OwnState;
  readonly batch: TreeOf<TensorSpec>;
  /** Copies: a batch that serves as its own spec would bring its values along. */
  readonly batchLeaves: Leaves<TensorSpec>;
  readonly constants: TreeOf<HostTensor>;
}

/**
 * Checks what every engine's `compile` is called with. `isOwn` tells whether a state is one of this engine.
 * Throws EngineError that names the program, the entry and the fix.
 */
export function checkedProgram<S, B, O, C, OwnState extends State<unknown> & { live(who: string): unknown }>(
  options: ProgramOptions<S, B, O, C>,
  owned: Owned,
  isOwn: (state: unknown) => state is OwnState,
): Given<OwnState> {
  const { name } = options;
  const state: unknown = options.state;
  owned.check();
  if (!isOwn(state)) {
    throw new EngineError(
      `program '${name}': its state was made by another engine; make it with engine.state()`,
    );
  }
  state.live(`program '${name}': `);
  const constants = (options.constants ?? {}) as TreeOf<HostTensor>;
  residentLeaves(constants, `program '${name}': the constants`);
  const batch = options.batch as TreeOf<TensorSpec>;
  const leaves = specLeaves(batch, `program '${name}': the batch spec`);
  const batchLeaves = new Map(
    [...leaves].map(([path, { dtype = 'float32', shape }]) => [path, { dtype, shape: [...shape] }]),
  );
  return { name, step: options.step as unknown as AnyStep, state, batch, batchLeaves, constants };
}
