import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** The part of the addon `tfjs_binding.node` of `@tensorflow/tfjs-node` that is used here. */
export interface TensorflowBinding {
  readonly TF_Version: string;
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  /** Names are `node:output`, with commas between them. */
  runSavedModel(
    session: number,
    tensors: readonly number[],
    inputs: string,
    outputs: string,
  ): readonly { readonly id: number; readonly shape: readonly number[]; readonly dtype: number }[];
  createTensor(shape: readonly number[], dtype: number, data: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
}

export interface Tensorflow {
  readonly binding: TensorflowBinding;
  readonly version: string;
  /** Threads that one operator may use: fixed when the library is loaded. */
  readonly threads: number;
}

export interface NoTensorflow {
  readonly missing: string;
  readonly remedy: string;
}

let loaded: Tensorflow | undefined;

/**
 * Loads TensorFlow's library from the folder that the environment variable PECO_TENSORFLOW names, or says what is missing.
 * The folder holds the addon `tfjs_binding.node` and, beside it, the folder `tensorflow` with the library (and `nvidia` with
 * CUDA's). A process has one library, with the number of threads that it was first loaded with.
 */
export function findTensorflow(threads = 1): Tensorflow | NoTensorflow {
  if (loaded) return loaded;
  const folder = process.env.PECO_TENSORFLOW;
  if (!folder)
    return {
      missing: 'no TensorFlow library was provisioned',
      remedy: 'set PECO_TENSORFLOW to the folder of one',
    };
  const file = path.resolve(folder, 'tfjs_binding.node');
  if (!existsSync(file))
    return { missing: `${folder} has no tfjs_binding.node`, remedy: 'provision it again' };
  // TensorFlow reads these when it starts; what the user has set stays.
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_NUM_INTEROP_THREADS ??= '1';
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  try {
    const binding = createRequire(import.meta.url)(file) as TensorflowBinding;
    loaded = {
      binding,
      version: binding.TF_Version,
      threads: Number(process.env.TF_NUM_INTRAOP_THREADS),
    };
    return loaded;
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
    return { missing: `${file} does not load: ${message}`, remedy: 'provision it again' };
  }
}
