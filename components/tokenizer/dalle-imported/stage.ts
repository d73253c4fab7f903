import path from 'node:path';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import type { HostTensor } from '../../engine/types.ts';
import { digestFile } from '../../weights/digest-file.ts';
import { openWeights } from '../../weights/open.ts';
import { pick, type Wanted } from '../../weights/pick.ts';
import { saveTree, unflatten } from '../../weights/safetensors.ts';
import type { DalleSide } from '../dalle/architecture.ts';
import type { ImportedDalleConfig } from './config.ts';
import { decoderLayout, encoderLayout } from './layout.ts';

/** Takes encoder and decoder out of their files, and writes them as `tokenizer.safetensors`. */
export const run: StageFunction<ImportedDalleConfig> = async ({ config, files, outDir }) => {
  const encoder = await read(files.encoder, 'encoder', encoderLayout(config));
  const decoder = await read(files.decoder, 'decoder', decoderLayout(config));
  saveTree(path.join(outDir, 'tokenizer.safetensors'), unflatten({ ...encoder, ...decoder }));
  const [first, second] = [await digestFile(files.encoder), await digestFile(files.decoder)];
  const about = `DALL-E's dVAE with weights from elsewhere, sha256 ${first.slice(0, 8)} and ${second.slice(0, 8)}`;
  return { about };
};

async function read(
  file: string,
  side: DalleSide,
  layout: { readonly [ours: string]: Wanted },
): Promise<{ [ours: string]: HostTensor }> {
  const opened = await openWeights(file);
  try {
    return await pick(opened, layout, {
      what: `the ${side} of DALL-E's dVAE`,
      prefixes: ['', 'module.', `${side}.`],
    });
  } finally {
    await opened.close();
  }
}
