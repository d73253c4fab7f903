import { setImmediate } from 'node:timers/promises';
import type { LoadedStep } from '../../program.ts';
import { refuseShrunk } from '../../program.ts';
import type { Leaves } from '../../tree.ts';
import type { HostTensor } from '../../types.ts';
import { EngineError } from '../../types.ts';
import type { Model } from '../model.ts';
import type { Device } from './device.ts';
import { explainFailure } from './errors.ts';
import type { Session, Value } from './session.ts';
import { fromHost, toDevice } from './session.ts';
import type { WebgpuState } from './state.ts';

export interface WebgpuStepParts {
  readonly name: string;
  readonly session: Session;
  readonly model: Omit<Model, 'bytes'>;
  readonly device: Device;
  readonly state: WebgpuState<unknown>;
}

/** A model loaded for the device, and the state in the device's buffers that it works on. */
export class WebgpuStep implements LoadedStep {
  private readonly parts: WebgpuStepParts;

  constructor(parts: WebgpuStepParts) {
    this.parts = parts;
    parts.device.hold();
  }

  async run(batch: Leaves<HostTensor>): Promise<Leaves<HostTensor>> {
    // Steps block the thread: between them everything else in the process has its turn.
    await setImmediate();
    const { changed, outputs } = this.parts.model;
    const results = outputs.size + changed.length > 0 ? this.compute(batch) : {};
    return new Map(
      [...outputs].map(([path, { dtype = 'float32', shape }]) => [
        path,
        fromHost(results[`out/${path}`]!, { dtype, shape }),
      ]),
    );
  }

  release(): void {
    const { session, device } = this.parts;
    session.dispose();
    device.release();
  }

  private compute(batch: Leaves<HostTensor>): { readonly [name: string]: Value } {
    const { name, session, state, model } = this.parts;
    const { used, changed } = model;
    const feeds: Record<string, Value> = {};
    for (const path of used.state) feeds[`state/${path}`] = state.current(path);
    // What the step doesn't read has to be there too, if it makes a new value of it.
    for (const path of changed) state.current(path);
    refuseShrunk(name, batch);
    try {
      for (const path of used.batch) feeds[`batch/${path}`] = toDevice(batch.get(path)!);
      const results = session.run(feeds);
      state.advance(new Map(changed.map((path) => [path, results[`next/${path}`]!])));
      return results;
    } catch (error) {
      throw new EngineError(`program '${name}' failed: ${explainFailure(error)}`, { cause: error });
    }
  }
}
