import type { Piscina } from 'piscina';
import type { LabelMap } from '../targets.ts';
import type { ImageBytes } from '../types.ts';
import { isUntouched } from '../views/render.ts';
import { openSharp } from './decode.ts';
import {
  type Answer,
  failed,
  type MadeOf,
  type RenderTask,
  renderApart,
  type TaskOf,
  type WorkName,
  works,
} from './worker.ts';

/** Decodes and resizes images, many at once. */
export interface Renderer {
  /** The pictures of an image, `[size, size, 3]` each, one after the other. Rejects with a BadImage as `decode` does. */
  render(task: RenderTask): Promise<Uint8Array>;
  /** What one of the `works` makes of an image. Rejects as that does. */
  make<Name extends WorkName>(work: Name, task: TaskOf<Name>): Promise<MadeOf<Name>>;
  /** Ends the threads. Called when nothing is being rendered any more. */
  close(): Promise<void>;
}

/**
 * Stages are bundled, but threads begin with a file of their own: the one that `bin/build.mjs` made of the worker. Where
 * something reads TypeScript, as in the tests, that is the source itself.
 */
const readsTypeScript = process.execArgv.some((argument) => argument.includes('tsx'));
const workerFile = new URL(
  readsTypeScript ? './worker.ts' : '../../../dist/decode-worker.js',
  import.meta.url,
);

/**
 * @param workers threads; they start with the first image that needs one. 0: all is done in this thread
 */
export function openRenderer(workers: number): Renderer {
  let pool: Promise<Piscina> | undefined;
  async function make<Name extends WorkName>(work: Name, task: TaskOf<Name>): Promise<MadeOf<Name>> {
    if (workers === 0 || isQuick(task))
      return (works[work] as (task: TaskOf<Name>) => Promise<MadeOf<Name>>)(task);
    pool ??= openPool(workers);
    const labels = 'labels' in task ? { labels: alone(task.labels) } : {};
    const apart = { work, task: { ...task, image: alone(task.image), ...labels } };
    const answer: Answer = await (await pool).run(apart);
    if ('failure' in answer) throw failed(answer.failure);
    return answer.made as MadeOf<Name>;
  }
  return {
    make,
    render: (task) => make('pictures', task),
    async close() {
      await (await pool)?.destroy();
      pool = undefined;
    },
  };
}

async function openPool(workers: number): Promise<Piscina> {
  // Before any thread: see there.
  await openSharp();
  const { Piscina } = await import('piscina');
  return new Piscina({
    filename: workerFile.href,
    name: renderApart.name,
    minThreads: workers,
    maxThreads: workers,
    // Each has all that it is to do, so that it goes on while a step keeps this thread from handing out more.
    concurrentTasksPerWorker: Number.MAX_SAFE_INTEGER,
    // They end with the pass or the training.
    idleTimeout: Number.POSITIVE_INFINITY,
  });
}

/** Pixels of a raw image up to which sending it to another thread (0.1 ms) takes longer than resizing it here. */
const FEW = 64 * 64;

function isQuick({ image, sight }: TaskOf<WorkName>): boolean {
  if (image.format !== 'raw') return false;
  return image.height * image.width <= FEW || ('pictures' in sight && isUntouched(image, sight));
}

/** A message has the whole buffer of an array in it, also if the array is a small part of that. */
function alone<T extends ImageBytes | LabelMap>(image: T): T {
  if ('file' in image) return image;
  const key = 'numbers' in image ? 'numbers' : 'bytes';
  const values = (image as unknown as { readonly [name: string]: Uint8Array | Uint16Array })[key]!;
  return values.byteLength === values.buffer.byteLength ? image : { ...image, [key]: values.slice() };
}
