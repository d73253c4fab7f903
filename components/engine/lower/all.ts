import { binaryLowerings } from './binary.ts';
import { convLowerings } from './conv.ts';
import { countLowerings } from './count.ts';
import { cropLowerings } from './crop.ts';
import { depthwiseLowerings } from './depthwise.ts';
import { gatherLowerings } from './gather.ts';
import type { Lowerings } from './lowering.ts';
import { lrnLowerings } from './lrn.ts';
import { morphologyLowerings } from './morphology.ts';
import { poolLowerings } from './pool.ts';
import { randomLowerings } from './random.ts';
import { reduceLowerings } from './reduce.ts';
import { resizeLowerings } from './resize.ts';
import { rotateLowerings } from './rotate.ts';
import { scanLowerings } from './scan.ts';
import { scatterLowerings } from './scatter.ts';
import { shapeLowerings } from './shape.ts';
import { suppressLowerings } from './suppress.ts';
import { unaryLowerings } from './unary.ts';

/** Every tfjs kernel that can be compiled. */
export const lowerings: Lowerings = {
  ...unaryLowerings,
  ...binaryLowerings,
  ...shapeLowerings,
  ...reduceLowerings,
  ...gatherLowerings,
  ...convLowerings,
  ...depthwiseLowerings,
  ...poolLowerings,
  ...resizeLowerings,
  ...scanLowerings,
  ...countLowerings,
  ...scatterLowerings,
  ...cropLowerings,
  ...rotateLowerings,
  ...lrnLowerings,
  ...morphologyLowerings,
  ...randomLowerings,
  ...suppressLowerings,
};

export { alternatives } from './alternatives.ts';
