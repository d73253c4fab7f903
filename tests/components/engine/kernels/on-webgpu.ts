import type { Tolerance } from '../support/compare.ts';

const open = 'WGSL lets a device assume that there are neither NaN nor infinities';

/**
 * Kernels that the engine `onnx:webgpu` computes otherwise than `reference` where numbers aren't finite, and why: those cases
 * are left out of `npm run test:webgpu`. Found on SwiftShader; other devices may differ in others.
 */
export const notFiniteOnWebgpu: { readonly [kernel: string]: string } = {
  Acos: open,
  Acosh: open,
  Asinh: open,
  Atanh: open,
  Cos: open,
  Cosh: open,
  DepthwiseConv2dNative: 'with dilations, zeros between the numbers of the filter are multiplied too',
  Exp: `${open}: of NaN it is Infinity`,
  FusedConv2D: `${open}: relu of NaN is 0`,
  FusedDepthwiseConv2D: `${open}: sigmoid of NaN is 0`,
  LRN: open,
  Log: `${open}: of 0 it is -88`,
  Log1p: `${open}: of -1 it is -88`,
  Pow: open,
  Relu: `${open}: of NaN it is 0`,
  Sigmoid: `${open}: of NaN it is 0`,
  Sin: open,
  Softmax: `${open}: NaN is lost`,
  Tan: open,
  _FusedMatMul: `${open}: relu of NaN is 0`,
};

/** What WGSL promises of sines and cosines from -pi to pi: 2^-11. */
const trigonometric: Tolerance = { absolute: 2 ** -11, relative: 2 ** -11 };

/** Kernels for which WGSL promises fewer digits than the others are compared in. */
export const coarseOnWebgpu: { readonly [kernel: string]: Tolerance } = {
  Acos: trigonometric,
  Cos: trigonometric,
  Sin: trigonometric,
  Tan: trigonometric,
};
