import { constants } from 'node:os';
import type { Numbers } from './messages.ts';

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
  createTensor(shape: readonly number[], dtype: number, data: Numbers): number;
  deleteTensor(id: number): void;
  /** A copy, in memory of its own. */
  tensorDataSync(id: number): Numbers;
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
}

/** RTLD_NODELETE, which Node.js has no name for. */
const neverUnloaded = process.platform === 'darwin' ? 0x80 : 0x1000;

/**
 * Throws what the system says where the file or a library that it needs can't be loaded. It stays loaded when the thread
 * ends: TensorFlow leaves functions behind that are called when the process ends, which otherwise is a segmentation fault.
 */
export function loadBinding(addon: string): TensorflowBinding {
  const module = { exports: {} };
  process.dlopen(module, addon, constants.dlopen.RTLD_LAZY | neverUnloaded);
  return module.exports as TensorflowBinding;
}
