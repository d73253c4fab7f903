import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { allocate, checkedLeaves } from '../check.ts';
import { refuseInStep } from '../step.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { mapTree } from '../tree.ts';
import type { HostOf, HostTensor, Program, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import type { Model } from './model.ts';
import { toOrt } from './session.ts';
import type { OnnxState } from './state.ts';

/** How the endpoints of a model map to trees. Names of endpoints are `state/PATH`, `batch/PATH`, `next/PATH`, `out/PATH`. */
export interface Wiring {
  readonly stateInputs: readonly string[];
  readonly batchInputs: readonly string[];
  readonly stateOutputs: readonly string[];
  readonly batch: Leaves<TensorSpec>;
  readonly outputs: Leaves<TensorSpec>;
  readonly outTree: TreeOf<string>;
}

/** The endpoints of a model beside the trees that a caller knows. */
export function wiringOf(
  { used, changed, outputs }: Omit<Model, 'bytes'>,
  batch: Leaves<TensorSpec>,
  outTree: TreeOf<string>,
): Wiring {
  return { stateInputs: used.state, batchInputs: used.batch, stateOutputs: changed, batch, outputs, outTree };
}

const isText = (node: unknown): node is string => typeof node === 'string';

/** A model loaded by ONNX Runtime, and the state it works on. */
export class OnnxProgram<B, O> implements Program<B, O> {
  private session: InferenceSession | undefined;
  private readonly name: string;
  private readonly state: OnnxState<unknown>;
  private readonly wiring: Wiring;
  private readonly onDispose: () => void;

  constructor(
    name: string,
    session: InferenceSession,
    state: OnnxState<unknown>,
    wiring: Wiring,
    onDispose: () => void,
  ) {
    this.name = name;
    this.session = session;
    this.state = state;
    this.wiring = wiring;
    this.onDispose = onDispose;
  }

  // Not `async`: a step does not await it, so its error must be thrown at once.
  run(batch: HostOf<B>): Promise<HostOf<O>> {
    refuseInStep(`program '${this.name}' can't run`);
    return this.enqueue(batch);
  }

  /** A step that is being computed is finished; those that wait for their turn fail. */
  dispose(): void {
    refuseInStep(`program '${this.name}' can't be disposed of`);
    const { session } = this;
    if (!session) return;
    this.session = undefined;
    this.state.turns.afterSteps(() => void session.release().catch(() => undefined));
    this.onDispose();
  }

  private async enqueue(batch: HostOf<B>): Promise<HostOf<O>> {
    this.live();
    const leaves = checkedLeaves(batch, this.wiring.batch, `program '${this.name}': the batch`);
    const feeds: Record<string, Tensor> = {};
    for (const path of this.wiring.batchInputs) feeds[`batch/${path}`] = toOrt(leaves.get(path)!);
    return this.state.turns.exclusively(() => this.step(feeds));
  }

  private async step(feeds: Record<string, Tensor>): Promise<HostOf<O>> {
    const { stateInputs, stateOutputs, outputs, outTree } = this.wiring;
    const session = this.live();
    for (const path of stateInputs) feeds[`state/${path}`] = this.state.current(path);
    const fetches: Record<string, Tensor> = {};
    for (const path of stateOutputs) fetches[`next/${path}`] = this.state.next(path);
    const results = new Map<string, HostTensor>();
    for (const [path, { dtype = 'float32', shape }] of outputs) {
      const result = { dtype, shape: [...shape], data: allocate(dtype, shape) };
      results.set(path, result);
      fetches[`out/${path}`] = toOrt(result);
    }
    if (Object.keys(fetches).length > 0) await session.run(feeds, fetches).catch((error) => this.fail(error));
    this.state.swap(stateOutputs);
    return mapTree(outTree, isText, (path) => results.get(path)!) as HostOf<O>;
  }

  private fail(error: unknown): never {
    const message = error instanceof Error ? error.message : String(error);
    const hint = message.startsWith('not enough space')
      ? ' (an array of the batch was transferred or made smaller before the step was done)'
      : '';
    throw new EngineError(`program '${this.name}' failed: ${message}${hint}`, { cause: error });
  }

  private live(): InferenceSession {
    if (!this.session) throw new EngineError(`program '${this.name}' was disposed of`);
    return this.session;
  }
}
