import type { Target } from '../../graph/graph.ts';
import { maxPool } from './max-pool.ts';
import { conv, convTranspose, fusedProduct, oneHot, slice, sum } from './rewrites.ts';

/** ONNX Runtime's provider for WebGPU. What it lacks, or computes otherwise than ONNX says, becomes operators that it has. */
export const webgpuTarget: Target = {
  losesDigits: true,
  variesWithThreads: false,
  isTensorflow: false,
  rewrites: {
    FusedMatMul: fusedProduct,
    OneHot: oneHot,
    Sum: sum,
    Slice: slice,
    Conv: conv,
    ConvTranspose: convTranspose,
    MaxPool: maxPool,
  },
};
