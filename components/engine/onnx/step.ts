import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { allocate } from '../check.ts';
import type { LoadedStep } from '../program.ts';
import { refuseShrunk } from '../program.ts';
import type { Leaves } from '../tree.ts';
import type { HostTensor } from '../types.ts';
import { EngineError } from '../types.ts';
import type { Model } from './model.ts';
import { toOrt } from './session.ts';
import type { OnnxState } from './state.ts';

/** A model loaded by ONNX Runtime, and the state it works on. */
export class OnnxStep implements LoadedStep {
  private readonly name: string;
  private readonly session: InferenceSession;
  private readonly state: OnnxState<unknown>;
  private readonly model: Omit<Model, 'bytes'>;

  constructor(
    name: string,
    session: InferenceSession,
    state: OnnxState<unknown>,
    model: Omit<Model, 'bytes'>,
  ) {
    this.name = name;
    this.session = session;
    this.state = state;
    this.model = model;
  }

  async run(batch: Leaves<HostTensor>): Promise<Leaves<HostTensor>> {
    const { used, changed, outputs } = this.model;
    const feeds: Record<string, Tensor> = {};
    for (const path of used.batch) feeds[`batch/${path}`] = toOrt(batch.get(path)!);
    for (const path of used.state) feeds[`state/${path}`] = this.state.current(path);
    const fetches: Record<string, Tensor> = {};
    for (const path of changed) fetches[`next/${path}`] = this.state.next(path);
    const results = new Map<string, HostTensor>();
    for (const [path, { dtype = 'float32', shape }] of outputs) {
      const result = { dtype, shape: [...shape], data: allocate(dtype, shape) };
      results.set(path, result);
      fetches[`out/${path}`] = toOrt(result);
    }
    try {
      if (Object.keys(fetches).length > 0) await this.session.run(feeds, fetches);
    } catch (error) {
      refuseShrunk(this.name, batch);
      const message = error instanceof Error ? error.message : String(error);
      throw new EngineError(`program '${this.name}' failed: ${message}`, { cause: error });
    }
    this.state.swap(changed);
    return results;
  }

  release(): void {
    void this.session.release().catch(() => undefined);
  }
}
