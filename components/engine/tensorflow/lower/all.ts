import type { Lowerings } from '../../lower/lowering.ts';
import { convLowerings, steadyConvLowerings } from './conv.ts';
import { depthwiseLowerings } from './depthwise.ts';
import { poolLowerings } from './pool.ts';
import { suppressLowerings } from './suppress.ts';

/** The kernels for which TensorFlow has an operator of its own where ONNX takes detours. */
export const tensorflowLowerings: Lowerings = {
  ...convLowerings,
  ...depthwiseLowerings,
  ...poolLowerings,
  ...suppressLowerings,
};

/** Those whose results are the same bytes for any number of threads of a CPU. */
export const steadyLowerings: Lowerings = { ...tensorflowLowerings, ...steadyConvLowerings };
