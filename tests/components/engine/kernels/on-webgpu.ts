import type { Tolerance } from '../support/compare.ts';

/**
 * Kernels that the engine `onnx:webgpu` computes otherwise than `reference` where numbers aren't finite, and how: those cases are
 * left out of `npm run test:webgpu`. WGSL lets a device assume that there are neither NaN nor infinities. These were found on
 * SwiftShader; other devices may differ in others.
 */
export const notFiniteOnWebgpu: { readonly [kernel: string]: string } = {
  Acos: 'NaN is lost',
  Acosh: 'NaN and infinities become 89',
  Asinh: 'NaN and infinities become 89',
  Atanh: 'NaN and infinities become 45',
  Cos: 'NaN and infinities are lost',
  Cosh: 'NaN becomes Infinity',
  DepthwiseConv2dNative: 'with dilations, zeros between the numbers of the filter are multiplied too',
  Exp: 'NaN becomes Infinity',
  FusedConv2D: 'relu of NaN is 0',
  FusedDepthwiseConv2D: 'sigmoid of NaN is 0',
  LRN: 'NaN and infinities are lost',
  Log: 'of 0 it is -88, of NaN and Infinity 89',
  Log1p: 'of -1 it is -88',
  Pow: 'large numbers stand for infinities',
  Relu: 'NaN becomes 0',
  Sigmoid: 'NaN becomes 0',
  Sin: 'NaN and infinities are lost',
  Softmax: 'NaN is lost',
  Tan: 'NaN and infinities are lost',
  _FusedMatMul: 'relu of NaN is 0',
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

/**
 * Kernels of which ONNX Runtime has no operator for WebGPU, as its profiles of all cases tell (1.30.0). No training of a component
 * has one but `PhiloxUniform` (drop path and the like), whose numbers need nothing of the device.
 */
export const onCpuUnderWebgpu: { readonly [kernel: string]: string } = {
  'Abs, Neg, Sign': 'of integers',
  BitwiseAnd: 'all of it',
  'Cast of uint8': 'the pictures of a batch become numbers before they go to the device',
  'Concat, Pack, PadV2, Slice, SplitV, StridedSlice, Transpose, Unpack': 'of bools',
  'Cumprod, Reverse, Slice, SplitV, StridedSlice, Unpack': 'of integers',
  'DenseBincount, ScatterNd, TopK': 'their integers',
  'FloorDiv, Mod': 'the remainder',
  PhiloxUniform: '64-bit integers',
  Round: 'all of it',
  SuppressOverlaps: 'all of it',
};
