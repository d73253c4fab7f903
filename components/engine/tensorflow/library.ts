import { existsSync } from 'node:fs';
import path from 'node:path';
import { type LocatedTensorflow, locateTensorflow, type NoTensorflow } from './place.ts';
import { TensorflowThread } from './thread.ts';

export interface Tensorflow {
  readonly thread: TensorflowThread;
  /** Threads that one operator may use: fixed when the library is loaded. */
  readonly threads: number;
  readonly place: LocatedTensorflow;
}

let loaded: Promise<Tensorflow | NoTensorflow> | undefined;

/**
 * Loads TensorFlow's library in a thread, from where `locateTensorflow` finds it, or says what is missing. A process has
 * one library, with the number of threads that it was first loaded with.
 */
export async function findTensorflow(threads = 1): Promise<Tensorflow | NoTensorflow> {
  loaded ??= load(threads);
  const found = await loaded;
  if ('missing' in found) loaded = undefined;
  return found;
}

async function load(threads: number): Promise<Tensorflow | NoTensorflow> {
  const place = locateTensorflow();
  if ('missing' in place) return place;
  prepareEnvironment(threads, place.folder);
  try {
    const thread = await TensorflowThread.start(place.addon);
    return { thread, threads: Number(process.env.TF_NUM_INTRAOP_THREADS), place };
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
    return { missing: `${place.addon} does not load: ${message}`, remedy: remedyOf(place) };
  }
}

/** What TensorFlow reads when it starts, which only this thread can set. What the user has set stays. */
function prepareEnvironment(threads: number, folder: string): void {
  const { env } = process;
  env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  env.TF_NUM_INTEROP_THREADS ??= '1';
  env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  // Newer GPUs than the library's translate its kernels at the first start (minutes), and keep them: more than by default.
  env.CUDA_CACHE_MAXSIZE ??= String(2 ** 32);
  const assembler = path.join(folder, 'nvidia/cuda_nvcc');
  if (existsSync(assembler) && !env.XLA_FLAGS?.includes('xla_gpu_cuda_data_dir'))
    env.XLA_FLAGS = `${env.XLA_FLAGS ?? ''} --xla_gpu_cuda_data_dir=${assembler}`.trim();
}

function remedyOf({ from, folder }: LocatedTensorflow): string {
  if ('own' in from) return `provide another library in ${folder}, or unset PECO_TENSORFLOW`;
  if ('package' in from) return 'install the package again, or peco-exp provision tensorflow';
  return `delete ${folder}, then peco-exp provision tensorflow${from.record.variant === 'gpu' ? ' --gpu' : ''}`;
}
