import '../gradients/register.ts';
import { residentLeaves, specLeaves } from '../check.ts';
import { Owned } from '../owned.ts';
import type { AnyStep } from '../step.ts';
import { refuseInStep } from '../step.ts';
import { registerSuppress } from '../suppress.ts';
import type { TreeOf } from '../tree.ts';
import type { Engine, HostOf, HostTensor, Program, ProgramOptions, State } from '../types.ts';
import { EngineError } from '../types.ts';
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
    const { name, state } = options;
    this.owned.check();
    if (!(state instanceof EagerState) || state.backendName !== this.backend.backendName) {
      throw new EngineError(
        `program '${name}': its state was made by another engine; make it with engine.state()`,
      );
    }
    state.live(`program '${name}': `);
    const constants = (options.constants ?? {}) as TreeOf<HostTensor>;
    residentLeaves(constants, `program '${name}': the constants`);
    const batch = specLeaves(options.batch, `program '${name}': the batch spec`);
    const step = options.step as unknown as AnyStep;
    const given = { name, step, state: state as EagerState<unknown>, batch, constants };
    return this.owned.add((forget) => new EagerProgram<B, O>(this.backend, given, forget));
  }
}
