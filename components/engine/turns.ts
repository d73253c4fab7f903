import { refuseInStep } from './step.ts';
import { EngineError } from './types.ts';

/** Programs of one state take turns, also when they are not awaited. */
export class Turns {
  private busy: Promise<unknown> = Promise.resolve();
  /** Steps that run or wait for their turn. */
  private steps = 0;

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.steps++;
    const turn = this.busy.then(work, work).finally(() => {
      this.steps--;
    });
    this.busy = turn.catch(() => undefined);
    return turn;
  }

  /** Does `work` when the steps that were begun are done; at once if there are none. */
  afterSteps(work: () => void): void {
    if (this.steps === 0) work();
    else void this.busy.then(work).catch(() => undefined);
  }

  /** Throws EngineError while a step runs or waits: before or after it, it would be chance what is read. */
  refuseWhileBusy(what: 'read' | 'write'): void {
    if (this.steps > 0)
      throw new EngineError(`state.${what}: a program is running on this state; await its run() first`);
  }
}

/** Throws EngineError inside a step. */
export function refuseStateInStep(what: 'read' | 'write'): void {
  refuseInStep(`a state can't be ${what === 'read' ? 'read' : 'written'}`);
}
