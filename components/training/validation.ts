import type { HeldOut } from '../data/hold-out.ts';
import type { Dataset } from '../data/types.ts';
import type { HostOf } from '../engine/types.ts';
import { type Checkpoint, countValidation } from './checkpoint-config.ts';
import type { Fitted } from './fit.ts';
import type { Selection } from './select.ts';

/** What a task that trains needs of its `checkpoint` field: spread `select` into the options of `fit`. */
export interface Validation<T, P, R = undefined> {
  /** The images to learn from: all, or all but those that are held out. */
  readonly learnt: Dataset<T>;
  readonly select: { readonly select?: Selection<P, R> };
  /** For `about`: which weights were measured. Empty for the last. */
  describe(fitted: Pick<Fitted<P, R>, 'chosen' | 'plan'>): readonly string[];
  /** For `metrics`: `validation`, the score on the images that were held out, and `bestStep`. Empty for the last weights. */
  metrics(fitted: Pick<Fitted<P, R>, 'chosen'>): { readonly [name: string]: number };
}

/**
 * Splits the images of a training by its `checkpoint` field.
 *
 * @param split `holdOut`, or `holdOutOfClasses` where targets are classes
 * @param score of weights on the images that were held out: more is better
 */
export async function openValidation<T, P, R = undefined>(
  checkpoint: Checkpoint,
  data: Dataset<T>,
  {
    seed,
    split,
    score,
  }: {
    readonly seed: number;
    readonly split: (data: Dataset<T>, count: number, seed: number) => HeldOut<T> | Promise<HeldOut<T>>;
    readonly score: (held: Dataset<T>, parameters: HostOf<P>, rest: HostOf<R>) => Promise<number>;
  },
): Promise<Validation<T, P, R>> {
  if (checkpoint === 'last') return { learnt: data, select: {}, describe: () => [], metrics: () => ({}) };
  const { learnt, held } = await split(data, countValidation(checkpoint, data.count), seed);
  const { every } = checkpoint.validation;
  const many = held.count.toLocaleString('en-US');
  return {
    learnt,
    select: { select: { every, score: (parameters, rest) => score(held, parameters, rest) } },
    describe: ({ chosen, plan }) =>
      chosen ? [`weights of step ${chosen.step} of ${plan.steps}, the best on ${many} held-out images`] : [],
    metrics: ({ chosen }) => (chosen ? { validation: chosen.score, bestStep: chosen.step } : {}),
  };
}
