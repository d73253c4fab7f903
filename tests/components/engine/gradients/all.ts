import type { GradientCases } from './elementwise.ts';
import { elementwiseCases } from './elementwise.ts';
import { gatherCases } from './gather.ts';
import { reduceCases } from './reduce.ts';
import { shapeCases } from './shape.ts';
import { windowCases } from './window.ts';

/** Where the gradient of each kernel is checked. */
export const gradientCases: GradientCases = {
  ...elementwiseCases,
  ...shapeCases,
  ...reduceCases,
  ...gatherCases,
  ...windowCases,
};
