/**
 * The first 19 convolutions of InceptionV3 (Szegedy et al. 2016), with the names of Keras
 * (keras-team/keras-applications, inception_v3.py). Every convolution is followed by a batch normalisation without
 * gain (epsilon 1e-3) and a ReLU.
 */
export interface Convolution {
  readonly name: string;
  /** HWIO. */
  readonly shape: readonly [number, number, number, number];
  readonly stride: 1 | 2;
  readonly padding: 'valid' | 'same';
}

function convolution(
  index: number,
  size: number,
  inputs: number,
  outputs: number,
  padding: 'valid' | 'same' = 'same',
  stride: 1 | 2 = 1,
): Convolution {
  return { name: `conv2d_${index}`, shape: [size, size, inputs, outputs], stride, padding };
}

/** The stem: a 3x3 max-pooling of stride 2 follows activation_3 and activation_5. */
export const STEM = [
  convolution(1, 3, 3, 32, 'valid', 2),
  convolution(2, 3, 32, 32, 'valid'),
  convolution(3, 3, 32, 64),
  convolution(4, 1, 64, 80, 'valid'),
  convolution(5, 3, 80, 192, 'valid'),
] as const;

/** Branches of a mixed block, in the order in which they are concatenated. */
export interface MixedBlock {
  readonly name: 'mixed0' | 'mixed1';
  readonly branch1x1: readonly [Convolution];
  readonly branch5x5: readonly [Convolution, Convolution];
  readonly branch3x3dbl: readonly [Convolution, Convolution, Convolution];
  /** Behind a 3x3 average pooling of stride 1 that doesn't count the padding. */
  readonly branchPool: readonly [Convolution];
}

function mixedBlock(name: MixedBlock['name'], first: number, inputs: number, pooled: number): MixedBlock {
  return {
    name,
    branch1x1: [convolution(first, 1, inputs, 64)],
    branch5x5: [convolution(first + 1, 1, inputs, 48), convolution(first + 2, 5, 48, 64)],
    branch3x3dbl: [
      convolution(first + 3, 1, inputs, 64),
      convolution(first + 4, 3, 64, 96),
      convolution(first + 5, 3, 96, 96),
    ],
    branchPool: [convolution(first + 6, 1, inputs, pooled)],
  };
}

export const MIXED = [mixedBlock('mixed0', 6, 192, 32), mixedBlock('mixed1', 13, 256, 64)] as const;

export const CONVOLUTIONS: readonly Convolution[] = [
  ...STEM,
  ...MIXED.flatMap(({ branch1x1, branch5x5, branch3x3dbl, branchPool }) => [
    ...branch1x1,
    ...branch5x5,
    ...branch3x3dbl,
    ...branchPool,
  ]),
];

/** Layers that can be asked for, from shallow to deep. */
export const INCEPTION_LAYERS = [
  'activation_1',
  'activation_2',
  'activation_3',
  'activation_4',
  'activation_5',
  'mixed0',
  'mixed1',
] as const;
