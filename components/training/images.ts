import type { StageContext } from '../../framework/stage/contract.ts';
import { type Loader, openLoader, type Sampled } from '../data/loader.ts';
import type { Dataset } from '../data/types.ts';
import type { Picture, View } from '../data/views/view.ts';
import type { Plan } from './recipe.ts';

/** What a loader has to know of a training whose batches it makes by micro-batch: which images, up to which step. */
export function loaderOptions(
  { seed, engine }: Pick<StageContext, 'seed' | 'engine'>,
  { microBatch, parts, end }: Plan,
) {
  return { seed, batchSize: microBatch, steps: end * parts, workers: engine.threads };
}

/** Images of a training, by micro-batch: ask for those of `MicroBatch.index`. */
export function openImages<T, const Names extends string>(
  context: Pick<StageContext, 'seed' | 'engine'>,
  data: Dataset<T>,
  plan: Plan,
  options: {
    /** Keeps the streams of different trainings apart: `tokenizer`, `pretraining`, ... */
    readonly purpose: string;
    /** Absent: the purpose; see `LoaderOptions`. */
    readonly chances?: string;
    readonly view: View;
    readonly pictures: { readonly [name in Names]: Picture };
  },
): Loader<Sampled<T, Names>> {
  return openLoader(data, { ...options, ...loaderOptions(context, plan) });
}
