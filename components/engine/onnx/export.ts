import '../gradients/register.ts';
import { residentLeaves, specLeaves } from '../check.ts';
import { changedState, endpoints, neededNodes } from '../record/needed.ts';
import type { Trace } from '../record/trace.ts';
import { traceStep } from '../record/trace.ts';
import type { AnyStep } from '../step.ts';
import { refuseInStep } from '../step.ts';
import type { TreeOf } from '../tree.ts';
import type { HostOf, HostTensor, SpecOf, Step, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { withoutFusedProducts } from './portable.ts';
import { encodeModel } from './proto.ts';

/** What an engine compiles, with a state of any engine (`state.read()` gives its values) or from a checkpoint. */
export interface ExportOptions<S, B, O, C> {
  /** Name of the graph. */
  readonly name: string;
  readonly step: Step<S, B, O, C>;
  readonly state: HostOf<S>;
  readonly batch: SpecOf<B>;
  readonly constants?: HostOf<C>;
  /**
   * Whether the values of the state become part of the model. Unless said: yes if the step returns the state as it came
   * (inference), no if it changes it (training).
   */
  readonly bakeState?: boolean;
}

/**
 * A step as the bytes of an .onnx file (opset 21), which other tools run. Paths are those of the leaves, joined by `/`.
 * - inputs: `batch/PATH`, all of them; and `state/PATH`, all of them, unless the state is baked
 * - outputs: `out/PATH`; and `next/PATH`, the new value of each leaf of the state that the step changes
 * - initialisers: constants, and `state/PATH`, as far as it is used, if the state is baked
 *
 * The metadata say which, under `peco-exp.state`: `baked` or `inputs`. Shapes are fixed, the batch's length included.
 * Only ONNX's own operators are used.
 *
 * Throws EngineError for a step that can't be compiled, a model above 2 GiB, and a state to bake that the step changes.
 */
export function exportOnnx<S, B, O, C = Record<string, never>>(
  options: ExportOptions<S, B, O, C>,
): Uint8Array {
  const { name } = options;
  refuseInStep(`program '${name}' can't be exported`);
  const state = residentLeaves(options.state, `program '${name}': the state`);
  const constants = (options.constants ?? {}) as TreeOf<HostTensor>;
  residentLeaves(constants, `program '${name}': the constants`);
  specLeaves(options.batch, `program '${name}': the batch spec`);
  const trace = traceStep({
    name,
    step: options.step as unknown as AnyStep,
    state: options.state as TreeOf<TensorSpec>,
    batch: options.batch as TreeOf<TensorSpec>,
    constants,
  });
  const changed = changedState(trace);
  const bake = options.bakeState ?? changed.length === 0;
  if (bake && changed.length > 0) {
    throw new EngineError(
      `program '${name}' can't be exported with its state baked: its step changes '${changed[0]![0]}'; leave bakeState out, or export a step that returns the state as it came`,
    );
  }
  return encode(name, trace, bake ? state : undefined);
}

function encode(name: string, trace: Trace, bakedState: ReadonlyMap<string, HostTensor> | undefined) {
  const outputs = [...endpoints('next', changedState(trace)), ...endpoints('out', trace.outputs)];
  const nodes = withoutFusedProducts(neededNodes(name, trace, outputs));
  const stateInputs = endpoints('state', trace.stateInputs);
  const batchInputs = endpoints('batch', trace.batchInputs);
  // What an inference step doesn't look at, such as the optimiser's moments, isn't worth its place in the file.
  const needed = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ value }) => value)]);
  const baked = [...trace.stateInputs].flatMap(([path, value]) => {
    const leaf = bakedState?.get(path);
    return leaf && needed.has(value) ? [{ name: `state/${path}`, value, data: leaf.data }] : [];
  });
  return encodeModel({
    name,
    nodes,
    inputs: bakedState ? batchInputs : [...stateInputs, ...batchInputs],
    outputs,
    baked,
    doc: bakedState
      ? 'Inference step: batch/* in, out/* out; the state is in the initialisers state/*.'
      : 'Training step: state/* and batch/* in, next/* and out/* out; feed next/X as state/X of the following step.',
    metadata: { 'peco-exp.state': bakedState ? 'baked' : 'inputs' },
  });
}
