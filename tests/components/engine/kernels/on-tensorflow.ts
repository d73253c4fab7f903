/**
 * Kernels that the engine `tensorflow` computes otherwise than `reference` where numbers aren't finite, and why: those cases
 * are left out of `npm run test:tensorflow`. There is no other difference.
 */
export const onTensorflow: { readonly [kernel: string]: string } = {
  Softmax: "in a row with NaN the NaN's own place gets 0: oneDNN's kernel",
  _FusedMatMul: 'relu of NaN is 0 where TensorFlow joins product, bias and relu into one kernel of oneDNN',
};

/** The same of `tensorflow:xla`. */
export const onXla: { readonly [kernel: string]: string } = {
  DepthwiseConv2dNativeBackpropFilter: 'zeros between strides and dilations are multiplied too',
  Maximum: 'NaN is lost beside a number',
  Minimum: 'NaN is lost beside a number',
};

/** Kernels that XLA can't compile: a program that has one runs without it, and is compared as such. */
export const refusedByXla: { readonly [kernel: string]: string } = {
  MaxPoolWithArgmax: 'XLA has no kernel of it',
};
