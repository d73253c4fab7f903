import '../gradients/register.ts';
import { checkedProgram } from '../given.ts';
import { Owned } from '../owned.ts';
import { refuseInStep } from '../step.ts';
import { registerSuppress } from '../suppress.ts';
import type { Engine, HostOf, Program, ProgramOptions, State } from '../types.ts';
import { registerUniform } from '../uniform.ts';
import type { EagerBackend } from './backend.ts';
import { EagerProgram } from './program.ts';
import { EagerState } from './state.ts';

/** Runs steps kernel by kernel on a tfjs backend, as tfjs does by itself; nothing is compiled. */
export class EagerEngine implements Engine {
  readonly name: string;
  readonly description: string;
  private readonly backend: EagerBackend;
  private readonly owned = new Owned();

  constructor(backend: EagerBackend) {
    this.name = backend.engineName;
    this.description = `${backend.engineName} (${backend.description})`;
    this.backend = backend;
    registerUniform(backend.backendName);
    registerSuppress(backend.backendName);
  }

  state<S>(initial: HostOf<S>): State<S> {
    refuseInStep("a state can't be made");
    return this.owned.add((forget) => new EagerState<S>(this.backend.backendName, initial, forget));
  }

  // Not `async`: a step does not await it, so its error must be thrown at once.
  compile<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    refuseInStep(`program '${options.name}' can't be compiled`);
    return this.checkStep(options);
  }

  /** The backend stays: it is tfjs's, and others may use it. */
  dispose(): void {
    this.owned.dispose();
  }

  private async checkStep<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    const { backendName } = this.backend;
    const isOwn = (state: unknown): state is EagerState<unknown> =>
      state instanceof EagerState && state.backendName === backendName;
    const { name, step, state, batchLeaves: batch, constants } = checkedProgram(options, this.owned, isOwn);
    const given = { name, step, state, batch, constants };
    return this.owned.add((forget) => new EagerProgram<B, O>(this.backend, given, forget));
  }
}
