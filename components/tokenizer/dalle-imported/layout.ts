import type { HostTensor } from '../../engine/types.ts';
import { hostTensor } from '../../nn/tree.ts';
import type { PublishedWeights } from '../../weights/file.ts';
import { permute } from '../../weights/permute.ts';
import type { Wanted } from '../../weights/pick.ts';
import {
  type DalleForm,
  type DalleSide,
  dalleBlocks,
  groupCount,
  KERNELS,
  OUTPUT_CHANNELS,
} from '../dalle/architecture.ts';

/** Where the official files are. Each holds a whole module of PyTorch, whose tensors are read without running any code. */
export const PUBLISHED: { readonly [side in DalleSide]: PublishedWeights } = {
  encoder: { where: 'OpenAI publishes it at https://cdn.openai.com/dall-e/encoder.pkl', name: 'encoder.pkl' },
  decoder: { where: 'OpenAI publishes it at https://cdn.openai.com/dall-e/decoder.pkl', name: 'decoder.pkl' },
};

type Layout = { readonly [ours: string]: Wanted };

/** A convolution `w` [outputs, inputs, size, size] and `b` of the official code (openai/DALL-E, dall_e/utils.py). */
function convolution(ours: string, from: string, size: number, inputs: number, outputs: number): Layout {
  return {
    [`${ours}/weight`]: { from: `${from}.w`, shape: [outputs, inputs, size, size], transform: 'conv' },
    [`${ours}/bias`]: { from: `${from}.b`, shape: [outputs] },
  };
}

function blocks(form: DalleForm, side: DalleSide): Layout {
  const layouts = dalleBlocks(form, side).flatMap(({ group, block, inputs, outputs }) => {
    const [ours, from] = [`${side}/groups/${group}/${block}`, `blocks.group_${group}.block_${block}`];
    const inner = outputs / 4;
    const channels = [inputs, inner, inner, inner, outputs];
    const path = KERNELS[side].map((size, i) =>
      convolution(
        `${ours}/conv${i + 1}`,
        `${from}.res_path.conv_${i + 1}`,
        size,
        channels[i]!,
        channels[i + 1]!,
      ),
    );
    return inputs === outputs
      ? path
      : [...path, convolution(`${ours}/skip`, `${from}.id_path`, 1, inputs, outputs)];
  });
  return Object.assign({}, ...layouts) as Layout;
}

/** Our names of the encoder's tensors by those of the official code. */
export function encoderLayout(form: DalleForm): Layout {
  const lowest = form.width * 2 ** (groupCount(form) - 1);
  return {
    ...convolution('encoder/input', 'blocks.input', 7, 3, form.width),
    ...blocks(form, 'encoder'),
    ...convolution('encoder/output', 'blocks.output.conv', 1, lowest, form.codebook.size),
  };
}

/** Of the decoder's; the kernel of its first convolution, [dim, K, 1, 1], is the codebook. */
export function decoderLayout(form: DalleForm): Layout {
  const { size, dim } = form.codebook;
  return {
    codebook: { from: 'blocks.input.w', shape: [dim, size, 1, 1], transform: vectorsOf },
    'decoder/bias': { from: 'blocks.input.b', shape: [dim] },
    ...blocks(form, 'decoder'),
    ...convolution('decoder/output', 'blocks.output.conv', 1, form.width, OUTPUT_CHANNELS),
  };
}

/** [dim, K, 1, 1] -> [K, dim]. */
function vectorsOf(kernel: HostTensor): HostTensor {
  const { data, shape } = permute(kernel, [2, 3, 1, 0]);
  return hostTensor(shape.slice(2), data);
}
