const threeDimensional =
  'volumes are not compiled; fold depth into the batch or the channels and use the 2-D op';
const complex = 'complex numbers are not compiled; keep real and imaginary parts apart';
const spectral = 'complex numbers are not compiled; multiply by the matrices of the cosines and sines';
const sizeDepends =
  'the number of results depends on values; compute it on the host and pass it in the batch';
const suppression =
  'the number of results depends on values; keptBoxes of suppress.ts marks those that remain';
const ragged = 'ragged tensors are not compiled; pad the rows to one length and use a mask';
const text = 'text is not compiled; encode it on the host and pass numbers in the batch';
const ownGradient =
  'the engine has its own gradient of this resizing; import tfjs-core without its own gradients';
const canvas = 'there are no canvases here; decode images on the host and pass them in the batch';

/** What to use instead of each kernel that can't be compiled. */
export const alternatives: { readonly [kernel: string]: string } = {
  AvgPool3D: threeDimensional,
  AvgPool3DGrad: threeDimensional,
  BroadcastArgs:
    'shapes are known when compiling; use tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape)',
  Complex: complex,
  ComplexAbs: complex,
  Conv3D: threeDimensional,
  Conv3DBackpropFilterV2: threeDimensional,
  Conv3DBackpropInputV2: threeDimensional,
  Draw: canvas,
  FFT: spectral,
  FromPixels: canvas,
  IFFT: spectral,
  Imag: complex,
  MaxPool3D: threeDimensional,
  MaxPool3DGrad: threeDimensional,
  Multinomial: 'draw on the host and pass the result in the batch',
  NonMaxSuppressionV3: suppression,
  NonMaxSuppressionV4: suppression,
  NonMaxSuppressionV5: suppression,
  RaggedGather: ragged,
  RaggedRange: ragged,
  RaggedTensorToTensor: ragged,
  Real: complex,
  ResizeBilinearGrad: ownGradient,
  ResizeNearestNeighborGrad: ownGradient,
  SparseFillEmptyRows: sizeDepends,
  SparseReshape: 'compute the indices on the host; tf.sparseToDense and tf.gatherND are compiled',
  SparseSegmentMean:
    'use tf.unsortedSegmentSum(tf.gather(data, indices), ids, count) and divide by the counts',
  SparseSegmentSum: 'use tf.unsortedSegmentSum(tf.gather(data, indices), ids, count)',
  StaticRegexReplace: text,
  StringNGrams: text,
  StringSplit: text,
  StringToHashBucketFast: text,
  Transform:
    'transform images on the host; tf.image.cropAndResize and tf.image.rotateWithOffset are compiled',
  Unique: sizeDepends,
};
