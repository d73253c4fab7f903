import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageInput } from '../../framework/stage/contract.ts';
import type { HostTensor } from '../engine/types.ts';
import { loadTree, saveTree } from '../weights/safetensors.ts';
import type { VitConfig } from './config.ts';
import type { Vit } from './vit.ts';

/** A backbone with its weights: what components of role `pretraining` load to. */
export interface Backbone {
  readonly config: VitConfig;
  /** Side of the images that the positions were learned for. */
  readonly imageSize: number;
  readonly weights: Vit<HostTensor>;
}

export async function saveBackbone(dir: string, { config, imageSize, weights }: Backbone): Promise<void> {
  await saveTree(path.join(dir, 'backbone.safetensors'), weights);
  await writeFile(path.join(dir, 'backbone.json'), `${JSON.stringify({ config, imageSize }, null, 2)}\n`);
}

export async function loadBackbone({ dir }: Pick<StageInput, 'dir'>): Promise<Backbone> {
  const { config, imageSize } = JSON.parse(await readFile(path.join(dir, 'backbone.json'), 'utf8')) as {
    config: VitConfig;
    imageSize: number;
  };
  const weights = (await loadTree(path.join(dir, 'backbone.safetensors'))) as unknown as Vit<HostTensor>;
  return { config, imageSize, weights };
}
