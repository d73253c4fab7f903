import type { Tensor } from '@tensorflow/tfjs-core';
import { engine } from '@tensorflow/tfjs-core';
import { describeSpec } from './check.ts';
import type { Leaves, TreeOf } from './tree.ts';
import { isTensor, leavesOf } from './tree.ts';
import type { TensorSpec } from './types.ts';
import { EngineError } from './types.ts';

/** A function over trees of tensors, without its types. */
export type AnyStep = (state: unknown, batch: unknown, constants: unknown) => unknown;

/** What a step returned, checked. */
export interface StepResult {
  readonly state: TreeOf<Tensor>;
  readonly out: TreeOf<Tensor>;
  readonly stateLeaves: Leaves<Tensor>;
  readonly outLeaves: Leaves<Tensor>;
}

let inStep = false;

/** Throws EngineError if a step is being traced or run: engines are used around steps, never in them. */
export function refuseInStep(what: string): void {
  if (inStep)
    throw new EngineError(`${what} inside a step: a step may only compute its results from its arguments`);
}

/**
 * Runs `work`, which calls a step, so that no tensor is left over, also when it throws: what the step made is
 * disposed of, even what it asked tfjs to keep. What `work` wants to outlive it, it gives to its own `keep` at its end.
 */
export function stepScope<T>(work: (keep: (tensor: Tensor) => Tensor) => T): T {
  const tfjs = engine();
  const firstOwn = nextTensorId();
  const kept: Tensor[] = [];
  const keep = tfjs.keep.bind(tfjs);
  tfjs.keep = (tensor) => {
    kept.push(tensor);
    return keep(tensor);
  };
  inStep = true;
  try {
    let result: { readonly value: T } | undefined;
    tfjs.tidy(() => {
      result = { value: work(keep) };
    });
    return result!.value;
  } finally {
    inStep = false;
    // Its own property hides the method of its class.
    Reflect.deleteProperty(tfjs, 'keep');
    for (const tensor of kept) if (tensor.id >= firstOwn) tensor.dispose();
  }
}

/** Calls a step and checks the form of what it returns; `before` is the state that it got. */
export function callStep(
  step: AnyStep,
  given: { readonly state: unknown; readonly batch: unknown; readonly constants: unknown },
  before: Leaves<TensorSpec>,
): StepResult {
  const result = step(given.state, given.batch, given.constants);
  if (isPromise(result)) {
    // Nothing else looks at it, and an unseen failure would end the process.
    result.then(undefined, () => {});
    throw new EngineError('its step is asynchronous; it must return { state, out }, not a promise of it');
  }
  if (!isResult(result)) throw new EngineError('its step must return { state, out }');
  const state = named(result.state, 'state');
  const out = named(result.out, 'out');
  const stateLeaves = leavesOf(state, isTensor);
  const outLeaves = leavesOf(out, isTensor);
  checkState(before, stateLeaves);
  for (const [path, { dtype }] of outLeaves) {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
      throw new EngineError(
        `its step returns '${path}' as ${dtype}; a step can return float32, int32 and bool`,
      );
  }
  return { state, out, stateLeaves, outLeaves };
}

/** The state after a step must look as before, or the next step would not fit. */
function checkState(before: Leaves<TensorSpec>, after: Leaves<Tensor>): void {
  for (const [path, old] of before) {
    const leaf = after.get(path);
    if (!leaf)
      throw new EngineError(
        `its step does not return '${path}' in the state; return it as it came to keep it`,
      );
    const [is, was] = [describeSpec(leaf as TensorSpec), describeSpec(old)];
    if (is !== was)
      throw new EngineError(`its step returns '${path}' of the state as ${is}, it came as ${was}`);
  }
  for (const path of after.keys()) {
    if (!before.has(path))
      throw new EngineError(`its step returns '${path}' in the state, which it did not get`);
  }
}

function named(tree: unknown, what: string): TreeOf<Tensor> {
  if (tree === null || typeof tree !== 'object')
    throw new EngineError(`its step returned no tensors as '${what}'`);
  return tree as TreeOf<Tensor>;
}

function isResult(result: unknown): result is { readonly state: unknown; readonly out: unknown } {
  return typeof result === 'object' && result !== null && 'state' in result && 'out' in result;
}

function isPromise(result: unknown): result is PromiseLike<unknown> {
  return (
    typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function'
  );
}

/** Tensors are numbered as they are made. */
function nextTensorId(): number {
  const probe = engine().makeTensor(Float32Array.of(0), [], 'float32');
  probe.dispose();
  return probe.id;
}
