import { StageError } from '../../framework/stage/stage-error.ts';
import type { HostOf, HostTensor, State } from '../engine/types.ts';
import { hostScalar, hostTensor } from '../nn/tree.ts';
import type { TrainingContext } from './loop.ts';
import type { FitState } from './objective.ts';

/** How the weights are chosen that a training hands over. */
export interface Selection<P, R = undefined> {
  /** They are looked at each so many of the training's length (steps, or epochs), and at its end. */
  readonly every: number;
  /**
   * How good weights are on images that the training doesn't learn from; more is better. A pure function of them. The
   * moving average of the parameters where the recipe has one, otherwise the parameters.
   */
  score(parameters: HostOf<P>, rest: HostOf<R>): Promise<number>;
}

/** Which weights were chosen. */
export interface Chosen {
  /** How many steps they were trained. */
  readonly step: number;
  readonly score: number;
}

/** The best weights so far, in the form of a checkpoint. */
interface Best<P, R> {
  readonly parameters: HostOf<P>;
  readonly rest?: HostOf<R>;
  readonly score: HostTensor;
  readonly step: HostTensor;
}

interface Selected<P, R> {
  /** After how many steps weights were looked at last. */
  readonly seen: HostTensor;
  readonly best: Best<P, R>;
}

interface Weights<P, R> {
  readonly parameters: HostOf<P>;
  readonly average?: HostOf<P>;
  readonly rest?: HostOf<R>;
}

/** A training that keeps its best weights. */
export interface Selecting<P, R> {
  /** The state of the training with the best weights in it. */
  readonly state: Pick<State<FitState<P, R>>, 'read' | 'write'>;
  /** Looks at the weights after so many steps, if it is time. False if the signal stopped it. */
  before(step: number): Promise<boolean>;
  /** The best weights, those after the last step included. */
  end(step: number): Promise<{ parameters: HostOf<P>; rest: HostOf<R>; chosen: Chosen }>;
}

/**
 * Keeps the best weights of a training, as part of its state: what was stopped and resumed has the same. Of equal scores
 * the earlier one stays.
 *
 * Weights are looked at before the next step is computed, so that a stop during a look leaves a state that was not looked
 * at, and a rung of a halving hands over the state of a training that goes on.
 *
 * @param selection with `every` in steps
 */
export function selecting<P, R>(
  { signal, log }: Pick<TrainingContext, 'signal' | 'log'>,
  inner: Pick<State<FitState<P, R>>, 'read' | 'write'>,
  { every, score }: Selection<P, R>,
): Selecting<P, R> {
  let selected: Selected<P, R> | undefined;
  const wasSeen = (step: number) => selected?.seen.data[0] === step;
  const look = async (step: number) => {
    const { parameters, average, rest } = inner.read() as unknown as Weights<P, R>;
    const weights = average ?? parameters;
    // As it is in a checkpoint, so that a resumed training compares the same numbers.
    const found = hostScalar(await score(weights, rest as HostOf<R>));
    const [value] = found.data;
    checkScore(value, step);
    log({ step, validation: value });
    const seen = hostTensor([], Int32Array.of(step));
    const isBetter = selected === undefined || value > selected.best.score.data[0];
    const best = { parameters: weights, ...(rest && { rest }), score: found, step: seen };
    selected = { seen, best: isBetter ? best : selected!.best };
  };
  return {
    state: {
      read: () => ({ ...inner.read(), ...(selected && { selected }) }),
      write(values) {
        const { selected: kept, ...state } = values as HostOf<FitState<P, R>> & {
          selected?: Selected<P, R>;
        };
        selected = kept;
        inner.write(state as HostOf<FitState<P, R>>);
      },
    },
    async before(step) {
      if (step === 0 || step % every !== 0 || wasSeen(step)) return true;
      try {
        await look(step);
        return true;
      } catch (error) {
        if (signal.aborted) return false;
        throw error;
      }
    },
    async end(step) {
      if (!wasSeen(step)) await look(step);
      const { parameters, rest, ...best } = selected!.best;
      const chosen = { step: Number(best.step.data[0]), score: Number(best.score.data[0]) };
      return { parameters, rest: rest as HostOf<R>, chosen };
    },
  };
}

function checkScore(value: number, step: number): void {
  if (Number.isFinite(value)) return;
  throw new StageError(`the validation of the weights after step ${step} gives ${value}`, {
    hint: 'the training diverged: lower the learning rate, or clip gradients more (`clipNorm`)',
  });
}
