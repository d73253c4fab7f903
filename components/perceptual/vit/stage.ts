import path from 'node:path';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { importWeights } from '../../weights/import.ts';
import type { VitConfig } from './config.ts';
import { LAYOUTS, vitWanted } from './layout.ts';

/** Takes the network out of its file and writes it as `vit.safetensors`, in the tree of `components/backbone/vit.ts`. */
export const run: StageFunction<VitConfig> = async ({ config, files, outDir }) => {
  const { layout, dim, patch, size } = config;
  const { prefixes, ignored } = LAYOUTS[layout];
  const what = `a vision transformer with ${layout}'s names, ${dim} wide, for ${size} pixels in patches of ${patch}`;
  const to = path.join(outDir, 'vit.safetensors');
  const digest = await importWeights(files.weights, to, vitWanted(config), { what, prefixes, ignored });
  return { about: `network with weights from elsewhere (${layout}, sha256 ${digest.slice(0, 8)})` };
};
