import { move, transferableSymbol, valueSymbol } from 'piscina';
import { StageError } from '../../../framework/stage/stage-error.ts';
import { renderCanvasTask, renderDetectionTask } from '../dense/detection-tasks.ts';
import { renderSegmentationTask, renderWholeTask } from '../dense/segmentation-tasks.ts';
import type { ImageBytes } from '../types.ts';
import type { Chance } from '../views/chance.ts';
import { fillPicture, renderPictures, type Sight } from '../views/render.ts';
import { BadImage } from './decode.ts';
import { withPixels } from './open-image.ts';

/** One image, and what is to be seen of it. */
export interface RenderTask {
  readonly image: ImageBytes;
  readonly sight: Sight;
  readonly chance?: Chance;
}

/** The pictures of an image, `[size, size, 3]` each, one after the other in a buffer of their own. */
export function render({ image, sight, chance }: RenderTask): Promise<Uint8Array> {
  return withPixels(image, (pixels) => {
    const seen = renderPictures(pixels, sight, chance);
    const sizes = sight.pictures.map(({ size }) => size);
    const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size * size * 3, 0));
    let start = 0;
    for (const [n, size] of sizes.entries()) {
      fillPicture(bytes, start, seen[n]!, size);
      start += size * size * 3;
    }
    return bytes;
  });
}

/** What is made of an image, by name: pictures for a network that sees them whole, or with targets of each pixel or object. */
export const works = {
  pictures: render,
  segmentation: renderSegmentationTask,
  whole: renderWholeTask,
  detection: renderDetectionTask,
  canvas: renderCanvasTask,
} as const;

export type WorkName = keyof typeof works;
export type TaskOf<Name extends WorkName> = Parameters<(typeof works)[Name]>[0];
export type MadeOf<Name extends WorkName> = Awaited<ReturnType<(typeof works)[Name]>>;

/** A StageError as it goes from thread to thread: of errors only the message would. */
export interface Failure {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly isBad: boolean;
}

export function failed({ message, hint, isBad }: Failure): StageError {
  return new (isBad ? BadImage : StageError)(message, hint === undefined ? {} : { hint });
}

/** What a thread answers. */
export type Answer = { readonly made: unknown } | { readonly failure: Failure };

/**
 * What the threads of the pool run: they load this module by its name (renderer.ts). Everyone else imports it, so it is in
 * the keys like any other code. Buffers are handed over, not copied.
 *
 * @returns an `Answer`
 */
export async function renderApart({ work, task }: { work: WorkName; task: unknown }): Promise<unknown> {
  let made: unknown;
  try {
    made = await (works[work] as (task: unknown) => Promise<unknown>)(task);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    const { message, hint } = error;
    return { failure: { message, hint, isBad: error instanceof BadImage } } satisfies Answer;
  }
  return move({
    get [transferableSymbol]() {
      return buffersOf(made) as unknown as object;
    },
    get [valueSymbol]() {
      return { made } satisfies Answer;
    },
  });
}

/** The buffers of all arrays of numbers in a value which have theirs for themselves: Node's pool may not be given away. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value))
    return value.byteLength === value.buffer.byteLength ? [value.buffer as ArrayBuffer] : [];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(buffersOf))];
}
