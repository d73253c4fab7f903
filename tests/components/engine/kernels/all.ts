import { convTests } from './conv.ts';
import { elementwiseTests } from './elementwise.ts';
import { gatherTests } from './gather.ts';
import { imageTests } from './image.ts';
import type { KernelTest } from './kernel-test.ts';
import { randomTests } from './random.ts';
import { reduceTests } from './reduce.ts';
import { shapeTests } from './shape.ts';
import { suppressTests } from './suppress.ts';

/** How each kernel is compared with tfjs's CPU backend, by family. */
export const families: { readonly [family: string]: readonly KernelTest[] } = {
  elementwise: elementwiseTests,
  shape: shapeTests,
  reduction: reduceTests,
  gathering: gatherTests,
  convolution: convTests,
  image: imageTests,
  random: randomTests,
  boxes: suppressTests,
};
