import { setImmediate } from 'node:timers/promises';
import { checkedLeaves } from '../../check.ts';
import { refuseInStep } from '../../step.ts';
import { mapTree } from '../../tree.ts';
import type { HostOf, HostTensor, Program } from '../../types.ts';
import { EngineError } from '../../types.ts';
import type { Wiring } from '../program.ts';
import type { Device } from './device.ts';
import { explainFailure } from './errors.ts';
import type { Session, Value } from './session.ts';
import { fromHost, toDevice } from './session.ts';
import type { WebgpuState } from './state.ts';

const isText = (node: unknown): node is string => typeof node === 'string';

/** A model loaded for the device, and the state in the device's buffers that it works on. */
export class WebgpuProgram<B, O> implements Program<B, O> {
  private session: Session | undefined;
  private readonly name: string;
  private readonly state: WebgpuState<unknown>;
  private readonly wiring: Wiring;
  private readonly device: Device;
  private readonly onDispose: () => void;

  constructor(
    name: string,
    parts: { readonly session: Session; readonly wiring: Wiring; readonly device: Device },
    state: WebgpuState<unknown>,
    onDispose: () => void,
  ) {
    this.name = name;
    this.session = parts.session;
    this.wiring = parts.wiring;
    this.device = parts.device;
    this.state = state;
    this.onDispose = onDispose;
    this.device.hold();
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
    this.state.turns.afterSteps(() => {
      session.dispose();
      this.device.release();
    });
    this.onDispose();
  }

  private async enqueue(batch: HostOf<B>): Promise<HostOf<O>> {
    this.live();
    const leaves = checkedLeaves(batch, this.wiring.batch, `program '${this.name}': the batch`);
    return this.state.turns.exclusively(async () => {
      const session = this.live();
      // Steps block the thread: between them everything else in the process has its turn.
      await setImmediate();
      const { outputs, outTree } = this.wiring;
      const results = outputs.size + this.wiring.stateOutputs.length > 0 ? this.step(session, leaves) : {};
      const values = new Map(
        [...outputs].map(([path, { dtype = 'float32', shape }]) => [
          path,
          fromHost(results[`out/${path}`]!, { dtype, shape }),
        ]),
      );
      return mapTree(outTree, isText, (path) => values.get(path)!) as HostOf<O>;
    });
  }

  private step(
    session: Session,
    leaves: ReadonlyMap<string, HostTensor>,
  ): { readonly [name: string]: Value } {
    const { stateInputs, batchInputs, stateOutputs } = this.wiring;
    const feeds: Record<string, Value> = {};
    for (const path of stateInputs) feeds[`state/${path}`] = this.state.current(path);
    // What the step doesn't read has to be there too, if it makes a new value of it.
    for (const path of stateOutputs) this.state.current(path);
    try {
      for (const path of batchInputs) feeds[`batch/${path}`] = toDevice(leaves.get(path)!);
      const results = session.run(feeds);
      this.state.advance(new Map(stateOutputs.map((path) => [path, results[`next/${path}`]!])));
      return results;
    } catch (error) {
      throw new EngineError(`program '${this.name}' failed: ${explainFailure(error)}`, { cause: error });
    }
  }

  private live(): Session {
    if (!this.session) throw new EngineError(`program '${this.name}' was disposed of`);
    return this.session;
  }
}
