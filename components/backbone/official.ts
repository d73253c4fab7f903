import type { HostTensor } from '../engine/types.ts';
import type { Affine, Norm } from '../nn/layers.ts';
import { permute, reshape } from '../weights/permute.ts';
import type { VitConfig } from './config.ts';
import type { Block, Vit } from './vit.ts';

/** Tensors by the names of another program. */
export type NamedTensors = { readonly [name: string]: HostTensor };

/** PyTorch's `Linear`: [in, out] -> [out, in]. */
export function linearNames(name: string, { weight, bias }: Affine<HostTensor>): NamedTensors {
  return { [`${name}.weight`]: permute(weight, [1, 0]), [`${name}.bias`]: bias };
}

/** PyTorch's `LayerNorm`. */
export function normNames(name: string, { gain, bias }: Norm<HostTensor>): NamedTensors {
  return { [`${name}.weight`]: gain, [`${name}.bias`]: bias };
}

/**
 * A vision transformer by the names and in the layouts of BEiT's checkpoints (microsoft/unilm, beit/modeling_pretrain.py
 * and modeling_finetune.py), which are timm's too, without the final norm. A bias of keys is left out: it changes no
 * output, and BEiT has none.
 *
 * @param tables `shared`: one table of relative positions, as at BEiT's pretraining; `each block`: one a block, as at its
 *   fine-tuning and always in timm, where a shared table becomes a copy for each
 */
export function beitNames(
  vit: Omit<Vit<HostTensor>, 'norm'>,
  { patch }: Pick<VitConfig, 'patch'>,
  tables: 'shared' | 'each block',
): NamedTensors {
  const { weight, bias } = vit.patch;
  const [, dim] = weight.shape as [number, number];
  const shared = vit.relativePositions;
  return {
    cls_token: vit.classToken,
    ...(vit.positions ? { pos_embed: vit.positions } : {}),
    'patch_embed.proj.weight': permute(reshape(weight, [patch, patch, 3, dim]), [3, 2, 0, 1]),
    'patch_embed.proj.bias': bias,
    ...(shared && tables === 'shared' ? { 'rel_pos_bias.relative_position_bias_table': shared } : {}),
    ...Object.assign(
      {},
      ...Object.entries(vit.blocks).map(([index, block]) =>
        blockNames(`blocks.${index}`, block, tables === 'shared' ? undefined : shared),
      ),
    ),
  };
}

function blockNames(name: string, block: Block<HostTensor>, shared: HostTensor | undefined): NamedTensors {
  const { qkv, scale1, scale2 } = block;
  const table = block.relativePositions ?? shared;
  return {
    ...normNames(`${name}.norm1`, block.norm1),
    [`${name}.attn.qkv.weight`]: permute(qkv.weight, [1, 0]),
    [`${name}.attn.q_bias`]: qkv.queryBias,
    [`${name}.attn.v_bias`]: qkv.valueBias,
    ...(table ? { [`${name}.attn.relative_position_bias_table`]: table } : {}),
    ...linearNames(`${name}.attn.proj`, block.projection),
    ...normNames(`${name}.norm2`, block.norm2),
    ...linearNames(`${name}.mlp.fc1`, block.expand),
    ...linearNames(`${name}.mlp.fc2`, block.contract),
    ...(scale1 ? { [`${name}.gamma_1`]: scale1 } : {}),
    ...(scale2 ? { [`${name}.gamma_2`]: scale2 } : {}),
  };
}

/** The line of Python that makes timm's model of these weights. */
export function timmModel(
  { dim, depth, heads, patch, mlpRatio, layerScaleInit, positions }: VitConfig,
  { imageSize, classes }: { readonly imageSize: number; readonly classes: number },
): string {
  const named = { 768: 'base', 1024: 'large' }[dim];
  const isNamed = named !== undefined && depth === (dim === 768 ? 12 : 24) && patch === 16 && mlpRatio === 4;
  const head = classes === 0 ? "num_classes=0, global_pool=''" : `num_classes=${classes}`;
  const python = (value: boolean) => (value ? 'True' : 'False');
  const [absolute, relative] = [positions === 'absolute', positions === 'relative'].map(python);
  const switches = `use_abs_pos_emb=${absolute}, use_rel_pos_bias=${relative}`;
  if (isNamed && layerScaleInit > 0) {
    const changed = positions === 'relative' ? '' : `, ${switches}`;
    return `timm.create_model('beit_${named}_patch16_224', img_size=${imageSize}, ${head}${changed})`;
  }
  const scale = layerScaleInit > 0 ? layerScaleInit : 'None';
  const sizes = `img_size=${imageSize}, patch_size=${patch}, embed_dim=${dim}, depth=${depth}, num_heads=${heads}, mlp_ratio=${mlpRatio}`;
  return `timm.models.beit.Beit(${sizes}, init_values=${scale}, ${switches}, ${head})`;
}

/** The line of Python that loads them; the command writes the file for FILE. */
export const loadLine = 'model.load_state_dict(safetensors.torch.load_file(FILE), strict=True)';

/** How pixels get to such a model. */
export function pixelsLine({ pixels: { mean, deviation } }: Pick<VitConfig, 'pixels'>): string {
  return `pixels: RGB in [0, 1], mean (${mean.join(', ')}), deviation (${deviation.join(', ')})`;
}
