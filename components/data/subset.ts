import { StageError } from '../../framework/stage/stage-error.ts';
import { random } from '../nn/random.ts';
import type { Dataset } from './types.ts';

/** The data set of these images only, in this order. */
export function subset<T>(dataset: Dataset<T>, indices: Int32Array): Dataset<T> {
  const { name, classes, classNumbers, imageSize, window } = dataset;
  const at = (place: number): number => {
    if (place in indices) return indices[place];
    throw new RangeError(`image ${place} of a data set of ${indices.length}`);
  };
  return {
    ...{ name, classes, count: indices.length },
    ...(classNumbers === undefined ? {} : { classNumbers }),
    ...(imageSize === undefined ? {} : { imageSize }),
    ...(window === undefined ? {} : { window }),
    target: async (place) => dataset.target(at(place)),
    image: async (place) => dataset.image(at(place)),
  };
}

/** The data set of the first images only; of all, if there are fewer. */
export function firstOf<T>(dataset: Dataset<T>, count: number): Dataset<T> {
  const length = Math.min(count, dataset.count);
  return length === dataset.count
    ? dataset
    : subset(
        dataset,
        Int32Array.from({ length }, (_, i) => i),
      );
}

/** The data set of the images from one on; of all, if that is the first. */
export function restOf<T>(dataset: Dataset<T>, first: number): Dataset<T> {
  if (first === 0) return dataset;
  const length = Math.max(0, dataset.count - first);
  return subset(
    dataset,
    Int32Array.from({ length }, (_, i) => first + i),
  );
}

/**
 * The target of an image.
 *
 * @throws StageError that names the image, if it can't be read, or is no class that there is: it would be an answer that is
 * never right
 */
export async function targetOf<T>(dataset: Dataset<T>, index: number): Promise<T> {
  const { name, classes } = dataset;
  let target: T;
  try {
    target = await dataset.target(index);
  } catch (cause) {
    throw new StageError(`image ${index} of ${name}: its target: ${(cause as Error).message}`, { cause });
  }
  // A label map, or instances: those who read them check them.
  if (typeof target === 'object' && target !== null) return target;
  if (typeof target === 'number' && Number.isInteger(target) && target >= 0 && target < classes.length)
    return target;
  throw new StageError(
    `image ${index} of ${name} has the class ${typeof target === 'string' ? `"${target}"` : target}`,
    {
      hint: `classes are numbers from 0 to ${classes.length - 1}, places in its \`classes\``,
    },
  );
}

/** The classes of all images. Rejects as `targetOf` does. */
export async function labelsOf(dataset: Dataset): Promise<Int32Array> {
  const labels = new Int32Array(dataset.count);
  for (let index = 0; index < dataset.count; index++) labels[index] = await targetOf(dataset, index);
  return labels;
}

/**
 * `count` images with the same number of each class, in their order.
 *
 * @throws RangeError as `classBalancedSubset` does
 */
export async function balancedSubset(dataset: Dataset, count: number, seed: number): Promise<Dataset> {
  return subset(dataset, classBalancedSubset(await labelsOf(dataset), count, seed));
}

/**
 * `count` indices with the same number of each class, ascending; where `count` isn't a multiple of the number of
 * classes, the first classes get one more. Smaller subsets of a seed are contained in larger ones.
 *
 * @throws RangeError if a class has too few images
 */
export function classBalancedSubset(labels: ArrayLike<number>, count: number, seed: number): Int32Array {
  const byClass = new Map<number, number[]>();
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index];
    const members = byClass.get(label);
    if (members) members.push(index);
    else byClass.set(label, [index]);
  }
  const classes = [...byClass.keys()].sort((a, b) => a - b);
  const chosen = classes.flatMap((label, place) => {
    const members = byClass.get(label) ?? [];
    const share = Math.floor(count / classes.length) + (place < count % classes.length ? 1 : 0);
    if (share > members.length) {
      throw new StageError(
        `${count} class-balanced labels need ${share} images of class ${label}, but there are ${members.length}`,
        { hint: 'lower the number of labels' },
      );
    }
    const order = random(seed, 'class-balanced-subset', label).permutation(members.length);
    return Array.from(order.subarray(0, share), (place) => members[place]);
  });
  return Int32Array.from(chosen.sort((a, b) => a - b));
}
