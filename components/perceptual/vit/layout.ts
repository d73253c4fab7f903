import type { HostTensor } from '../../engine/types.ts';
import { hostTensor } from '../../nn/tree.ts';
import type { PublishedWeights } from '../../weights/file.ts';
import { permute, reshape } from '../../weights/permute.ts';
import type { PickOptions, Wanted } from '../../weights/pick.ts';

/** Whose names a file has. Inside a block they are timm's in all of them. */
export type VitLayout = 'moco-v3' | 'dino' | 'timm';

/** Blocks of ViT-S and ViT-B. */
export const DEPTH = 12;

/** `block3` is what comes out of the third block. */
export type VitLayer = `block${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12}`;

/** From shallow to deep. */
export const VIT_LAYERS: readonly VitLayer[] = Array.from(
  { length: DEPTH },
  (_, index) => `block${index + 1}` as VitLayer,
);

/** The form of a plain vision transformer. */
export interface VitForm {
  readonly dim: number;
  /** Side of a patch in pixels. */
  readonly patch: number;
  /** Side of the pictures that the file's positions are for, in pixels. */
  readonly size: number;
}

/** Where each layout has its network in a file, what beside it is left aside, and who publishes such a file. */
export const LAYOUTS: {
  readonly [layout in VitLayout]: Required<Omit<PickOptions, 'what'>> & {
    readonly published?: PublishedWeights;
  };
} = {
  'moco-v3': {
    prefixes: ['module.base_encoder.', 'base_encoder.', 'module.momentum_encoder.', ''],
    ignored: /^head\./,
    published: {
      where: 'facebookresearch/moco-v3 publishes ViT-B after 300 epochs',
      name: 'vit-b-300ep.pth.tar',
    },
  },
  dino: {
    prefixes: ['', 'backbone.', 'module.backbone.'],
    ignored: /^head\./,
    published: { where: 'facebookresearch/dino publishes ViT-B/16', name: 'dino_vitbase16_pretrain.pth' },
  },
  timm: { prefixes: ['', 'module.'], ignored: /^(head|head_dist|fc_norm|pre_logits)\./ },
};

/** Our names by theirs: the tree of `components/backbone/vit.ts`, with a bias of the keys. */
export function vitWanted({ dim, patch, size }: VitForm): { readonly [ours: string]: Wanted } {
  const tokens = (size / patch) ** 2 + 1;
  const blocks = Array.from({ length: DEPTH }, (_, index) => blockWanted(index, dim));
  return {
    'patch/weight': {
      from: 'patch_embed.proj.weight',
      shape: [dim, 3, patch, patch],
      transform: (tensor) => reshape(permute(tensor, [2, 3, 1, 0]), [patch * patch * 3, dim]),
    },
    'patch/bias': { from: 'patch_embed.proj.bias', shape: [dim] },
    classToken: { from: 'cls_token', shape: [1, 1, dim] },
    positions: { from: 'pos_embed', shape: [1, tokens, dim] },
    ...normWanted('norm', 'norm', dim),
    ...Object.assign({}, ...blocks),
  };
}

function blockWanted(index: number, dim: number): { readonly [ours: string]: Wanted } {
  const [ours, theirs] = [`blocks/${index}`, `blocks.${index}`];
  const bias = (part: number): Wanted => ({
    from: `${theirs}.attn.qkv.bias`,
    shape: [3 * dim],
    transform: (tensor) => third(tensor, part),
  });
  return {
    ...normWanted(`${ours}/norm1`, `${theirs}.norm1`, dim),
    // Queries, keys, values, and in each the heads: the order is the same.
    [`${ours}/qkv/weight`]: { from: `${theirs}.attn.qkv.weight`, shape: [3 * dim, dim], transform: 'dense' },
    [`${ours}/qkv/queryBias`]: bias(0),
    [`${ours}/qkv/keyBias`]: bias(1),
    [`${ours}/qkv/valueBias`]: bias(2),
    ...denseWanted(`${ours}/projection`, `${theirs}.attn.proj`, dim, dim),
    ...normWanted(`${ours}/norm2`, `${theirs}.norm2`, dim),
    ...denseWanted(`${ours}/expand`, `${theirs}.mlp.fc1`, dim, 4 * dim),
    ...denseWanted(`${ours}/contract`, `${theirs}.mlp.fc2`, 4 * dim, dim),
  };
}

function normWanted(ours: string, theirs: string, dim: number): { readonly [ours: string]: Wanted } {
  return {
    [`${ours}/gain`]: { from: `${theirs}.weight`, shape: [dim] },
    [`${ours}/bias`]: { from: `${theirs}.bias`, shape: [dim] },
  };
}

function denseWanted(
  ours: string,
  theirs: string,
  inputs: number,
  outputs: number,
): { readonly [ours: string]: Wanted } {
  return {
    [`${ours}/weight`]: { from: `${theirs}.weight`, shape: [outputs, inputs], transform: 'dense' },
    [`${ours}/bias`]: { from: `${theirs}.bias`, shape: [outputs] },
  };
}

function third({ shape: [length], data }: HostTensor, part: number): HostTensor {
  const size = length / 3;
  return hostTensor([size], data.slice(part * size, (part + 1) * size) as Float32Array);
}
