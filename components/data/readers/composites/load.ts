import type { LoadFunction } from '../../../../framework/stage/contract.ts';
import type { ImageInstances, LabelMap } from '../../targets.ts';
import type { Dataset, ImageBytes } from '../../types.ts';
import { openBackgrounds } from './backgrounds.ts';
import type { CompositesConfig } from './config.ts';
import { openItems } from './items.ts';
import { compose } from './scene/compose.ts';
import { drawLayout, type Layout } from './scene/layout.ts';
import { classesOf, instancesOf, labelMapOf, largestClass, mostObjects } from './targets.ts';

export type Composites = Dataset<number> | Dataset<LabelMap> | Dataset<ImageInstances>;

/**
 * The scenes of a `composites` component, composed when their pixels or their targets are asked for.
 *
 * @throws StageError as `openItems` and `listPhotographs` do
 */
export const load: LoadFunction<Composites, CompositesConfig> = async ({ config, files }) => {
  const { split, target, size, count, contrast, seed } = config;
  const items = openItems({ images: files.images!, labels: files.labels! }, split);
  const photographs = config.backgrounds ? openBackgrounds(files.backgrounds!, split, size) : undefined;
  const streamOf = (index: number) => ['composites', split, index] as const;
  const layoutOf = keepingLast((index): Layout => {
    if (Number.isInteger(index) && index >= 0 && index < count)
      return drawLayout(items, config, seed, streamOf(index));
    throw new RangeError(`image ${index} of a data set of ${count}`);
  });
  const made = new Map<number, Uint8Array>();
  const most = Math.floor(mostBytes / (size * size * 3));
  const image = async (index: number): Promise<ImageBytes> => {
    const bytes = made.get(index) ?? (await composed(index));
    if (made.size < most) made.set(index, bytes);
    return { format: 'raw', bytes, height: size, width: size, channels: 3 };
  };
  const composed = async (index: number): Promise<Uint8Array> => {
    const layout = layoutOf(index);
    const stream = streamOf(index);
    const photograph = await photographs?.(seed, stream);
    const look = { split, size, contrast, seed, stream, ...(photograph && { photograph }) };
    return compose(layout, look);
  };
  const common = {
    ...{ name: `composites ${split} of ${count.toLocaleString('en-US')} scenes`, count },
    ...{ classes: classesOf(target), imageSize: size, image },
  };
  if (target === 'class') return { ...common, target: async (index) => largestClass(layoutOf(index)) };
  if (target === 'label map') return { ...common, target: async (index) => labelMapOf(layoutOf(index)) };
  return {
    ...common,
    target: async (index) => instancesOf(layoutOf(index), index + 1, index * mostObjects + 1),
  };
};

/** Pixels that are kept, since trainings show scenes several times: 20,000 of 64 pixels a side are 246 MB. */
const mostBytes = 2 ** 28;

/** Layouts in memory: a batch has its targets first, then its pixels. */
const mostKept = 512;

function keepingLast<T>(make: (index: number) => T): (index: number) => T {
  const kept = new Map<number, T>();
  return (index) => {
    const known = kept.get(index);
    if (known !== undefined) return known;
    const made = make(index);
    kept.set(index, made);
    if (kept.size > mostKept) kept.delete(kept.keys().next().value!);
    return made;
  };
}
