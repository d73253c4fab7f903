import type { Target } from '../../graph/graph.ts';
import { maxPool } from './max-pool.ts';
import {
  argMax,
  argMin,
  conv,
  convTranspose,
  fusedProduct,
  guarded,
  oneHot,
  or,
  sign,
  slice,
  sum,
} from './rewrites.ts';

/** ONNX Runtime's provider for WebGPU. What it lacks, or computes otherwise than ONNX says, becomes operators that it has. */
export const webgpuTarget: Target = {
  losesDigits: true,
  variesWithThreads: false,
  isTensorflow: false,
  rewrites: {
    ArgMax: argMax,
    ArgMin: argMin,
    Or: or,
    Sign: sign,
    FusedMatMul: fusedProduct,
    OneHot: oneHot,
    Sum: sum,
    Slice: slice,
    Conv: conv,
    ConvTranspose: convTranspose,
    MaxPool: maxPool,
    Gather: guarded,
    ScatterElements: guarded,
  },
};
