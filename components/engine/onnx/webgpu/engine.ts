import { createRequire } from 'node:module';
import { checkedProgram } from '../../given.ts';
import { Owned } from '../../owned.ts';
import { ownProgram } from '../../program.ts';
import { traceStep } from '../../record/trace.ts';
import { refuseInStep } from '../../step.ts';
import type { Engine, HostOf, Program, ProgramOptions, State } from '../../types.ts';
import { EngineError } from '../../types.ts';
import { toModel } from '../model.ts';
import { loadRuntime } from '../session.ts';
import { Device } from './device.ts';
import { explainFailure } from './errors.ts';
import { Session } from './session.ts';
import { WebgpuState } from './state.ts';
import { WebgpuStep } from './step.ts';
import { webgpuTarget } from './target.ts';

/**
 * Compiles steps to ONNX models that ONNX Runtime executes on the device that WebGPU finds, and what WebGPU lacks on the
 * CPU with `threads` threads. `profile`: prefix of files that tell where operators ran.
 * Throws EngineError where there is no device, with the remedy.
 */
export async function openWebgpuEngine(threads: number, profile?: string): Promise<Engine> {
  await loadRuntime();
  return new WebgpuEngine(new Device(threads), profile);
}

class WebgpuEngine implements Engine {
  // What was computed in part is gone on from on the same device only: its files are called by this.
  readonly name = 'onnx:webgpu';
  readonly description: string;
  private readonly device: Device;
  private readonly profile: string | undefined;
  private readonly owned = new Owned();
  private ended = false;

  constructor(device: Device, profile: string | undefined) {
    this.device = device;
    this.profile = profile;
    const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
      version: string;
    };
    const { threads } = device;
    this.description = `onnx:webgpu (onnxruntime-node ${version}, ${threads} thread${threads === 1 ? '' : 's'})`;
  }

  state<S>(initial: HostOf<S>): State<S> {
    refuseInStep("a state can't be made");
    return this.owned.add((forget) => new WebgpuState<S>(this.device, initial, forget));
  }

  // Not `async`: a step does not await it, so its error must be thrown at once.
  compile<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    refuseInStep(`program '${options.name}' can't be compiled`);
    return this.compileStep(options);
  }

  dispose(): void {
    if (this.ended) return;
    this.ended = true;
    this.owned.dispose();
    this.device.release();
  }

  private async compileStep<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    const { state, batchLeaves, ...given } = checkedProgram(options, this.owned, isOwn);
    const { name } = given;
    const trace = traceStep({ ...given, state: state.tree, target: webgpuTarget });
    const { bytes, ...model } = toModel(name, trace);
    const { changed, outputs } = model;
    const resident = changed.map((path) => `next/${path}`);
    const session = this.load(name, bytes, {
      resident,
      outputs: [...resident, ...[...outputs.keys()].map((path) => `out/${path}`)],
    });
    const step = new WebgpuStep({ name, session, model, device: this.device, state });
    const { turns } = state;
    return ownProgram<B, O>(this.owned, { name, step, turns, batch: batchLeaves, outTree: trace.outTree });
  }

  private load(
    name: string,
    bytes: Uint8Array,
    wanted: { readonly resident: string[]; readonly outputs: string[] },
  ): Session {
    const { threads } = this.device;
    const profile = this.profile === undefined ? {} : { profile: this.profile };
    try {
      return new Session(bytes, { threads, ...wanted, ...profile });
    } catch (error) {
      if (error instanceof EngineError) throw error;
      const message = `program '${name}': ONNX Runtime rejects the compiled model: ${explainFailure(error)}`;
      throw new EngineError(message, { cause: error });
    }
  }
}

const isOwn = (state: unknown): state is WebgpuState<unknown> => state instanceof WebgpuState;
