import path from 'node:path';
import type { StageFunction } from '../../../framework/stage/contract.ts';
import { importWeights } from '../../weights/import.ts';
import { BEHIND, PUBLISHED, vgg16Layout } from './architecture.ts';
import type { Vgg16Config } from './config.ts';

/** Takes the convolutions of a VGG16 of torchvision out of its file, and writes them as `vgg.safetensors`. */
export const run: StageFunction<Vgg16Config> = async ({ config, files, outDir }) => {
  const digest = await importWeights(
    files.weights,
    path.join(outDir, 'vgg.safetensors'),
    vgg16Layout(config.width),
    {
      what: `a VGG16 of torchvision with ${config.width} channels in its first stage`,
      prefixes: ['', 'module.'],
      ignored: BEHIND,
    },
  );
  if (digest.startsWith(PUBLISHED.sha256!)) return { metrics: { labels: LABELS }, about: ABOUT_PUBLISHED };
  return { about: `network with weights from elsewhere, sha256 ${digest.slice(0, 8)}` };
};

/** Images of ImageNet-1K's train split, each with a label. */
const LABELS = 1_281_167;
const ABOUT_PUBLISHED = `network of torchvision, trained on ${LABELS.toLocaleString('en-US')} labels of ImageNet-1K`;
