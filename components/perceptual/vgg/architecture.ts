/** The form of a VGG network (Simonyan and Zisserman 2015): blocks of 3x3 convolutions, halved in between. */
export interface VggArchitecture {
  /** Channels of the first stage; twice as many in each later one, up to eight times. */
  readonly width: number;
  readonly blocks: number;
  /** One number for all blocks or one each. */
  readonly convsPerBlock: number | readonly number[];
}

/** Named as in VGG16: `relu3_2` is the activation of the second convolution of the third stage. */
export type VggLayer = `relu${1 | 2 | 3 | 4 | 5}_${1 | 2 | 3 | 4}`;

export interface VggConvolution {
  /** `conv3_2`. */
  readonly name: string;
  readonly layer: VggLayer;
  readonly inputs: number;
  readonly outputs: number;
  /** A 2x2 max-pooling comes in front of it. */
  readonly pooled: boolean;
}

/** All convolutions from shallow to deep. Width 64 with [2, 2, 3, 3, 3] gives those of VGG16. */
export function vggConvolutions({ width, blocks, convsPerBlock }: VggArchitecture): VggConvolution[] {
  const convolutions: VggConvolution[] = [];
  let inputs = 3;
  for (let block = 1; block <= blocks; block++) {
    const count = typeof convsPerBlock === 'number' ? convsPerBlock : convsPerBlock[block - 1];
    const outputs = width * 2 ** Math.min(block - 1, 3);
    for (let index = 1; index <= count; index++) {
      const place = `${block}_${index}`;
      const pooled = block > 1 && index === 1;
      convolutions.push({ name: `conv${place}`, layer: `relu${place}` as VggLayer, inputs, outputs, pooled });
      inputs = outputs;
    }
  }
  return convolutions;
}

export function vggLayers(architecture: VggArchitecture): VggLayer[] {
  return vggConvolutions(architecture).map(({ layer }) => layer);
}
