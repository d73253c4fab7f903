import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { allocate, checkedLeaves } from '../check.ts';
import type { Value } from '../graph/value.ts';
import { sizeOf } from '../graph/value.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { mapTree } from '../tree.ts';
import type { HostOf, HostTensor, Program, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { toOrt } from './session.ts';
import type { OnnxState } from './state.ts';

/** How the endpoints of a model map to trees. Names of endpoints are `state/PATH`, `batch/PATH`, `next/PATH`, `out/PATH`. */
export interface Wiring {
  readonly stateInputs: readonly string[];
  readonly batchInputs: readonly string[];
  readonly stateOutputs: readonly string[];
  readonly batch: Leaves<TensorSpec>;
  readonly outputs: Leaves<Value>;
  readonly outTree: TreeOf<string>;
}

const isText = (node: unknown): node is string => typeof node === 'string';

/** A model loaded by ONNX Runtime, and the state it works on. */
export class OnnxProgram<B, O> implements Program<B, O> {
  private session: InferenceSession | undefined;
  private readonly name: string;
  private readonly state: OnnxState<unknown>;
  private readonly wiring: Wiring;

  constructor(
    name: string,
    session: InferenceSession | undefined,
    state: OnnxState<unknown>,
    wiring: Wiring,
  ) {
    this.name = name;
    this.session = session;
    this.state = state;
    this.wiring = wiring;
  }

  async run(batch: HostOf<B>): Promise<HostOf<O>> {
    this.live();
    const leaves = checkedLeaves(batch, this.wiring.batch, `program '${this.name}': the batch`);
    return this.state.exclusively(() => this.step(leaves));
  }

  dispose(): void {
    void this.session?.release();
    this.session = undefined;
  }

  private async step(batch: Leaves<HostTensor>): Promise<HostOf<O>> {
    const { stateInputs, batchInputs, stateOutputs, outputs, outTree } = this.wiring;
    const session = this.live();
    const feeds: Record<string, Tensor> = {};
    for (const path of stateInputs) feeds[`state/${path}`] = this.state.current(path);
    for (const path of batchInputs) feeds[`batch/${path}`] = toOrt(batch.get(path)!);
    const fetches: Record<string, Tensor> = {};
    for (const path of stateOutputs) fetches[`next/${path}`] = this.state.next(path);
    const results = new Map<string, HostTensor>();
    for (const [path, value] of outputs) {
      const result = emptyResult(value);
      results.set(path, result);
      fetches[`out/${path}`] = toOrt(result);
    }
    if (Object.keys(fetches).length > 0) await session.run(feeds, fetches).catch((error) => this.fail(error));
    this.state.swap(stateOutputs);
    return mapTree(outTree, isText, (path) => results.get(path)!) as HostOf<O>;
  }

  private fail(error: unknown): never {
    const message = error instanceof Error ? error.message : String(error);
    throw new EngineError(`program '${this.name}' failed: ${message}`, { cause: error });
  }

  private live(): InferenceSession {
    if (!this.session) throw new EngineError(`program '${this.name}' was disposed of`);
    return this.session;
  }
}

function emptyResult({ type, shape }: Value): HostTensor {
  const dtype = type === 'int64' ? 'int32' : type;
  return { dtype, shape: [...shape], data: allocate(dtype, sizeOf(shape)) };
}
