import type { PublishedWeights } from '../../weights/file.ts';
import type { Wanted } from '../../weights/pick.ts';
import { type VggArchitecture, vggConvolutions } from '../vgg/architecture.ts';

/** The form of VGG16 (configuration D of the paper): 14,714,688 parameters at width 64. */
export function vgg16Of({ width }: { readonly width: number }): VggArchitecture {
  return { width, blocks: 5, convsPerBlock: [2, 2, 3, 3, 3] };
}

/** Trained on ImageNet-1K with its labels. The name carries the beginning of its sha256. */
export const PUBLISHED: PublishedWeights = {
  where: 'torchvision publishes it as VGG16_Weights.IMAGENET1K_V1',
  name: 'vgg16-397923af.pth',
  sha256: '397923af',
};

/** What comes behind the convolutions, by the names of torchvision and timm: the classifier, which no feature needs. */
export const BEHIND = /^(classifier|pre_logits|head)\./;

/**
 * Our names of the convolutions by those of torchvision: `features.0` is conv1_1, and each ReLU and each pooling counts
 * (pytorch/vision, torchvision/models/vgg.py, `make_layers`).
 */
export function vgg16Layout(width: number): { readonly [ours: string]: Wanted } {
  let place = 0;
  const layers = vggConvolutions(vgg16Of({ width })).flatMap(({ name, inputs, outputs, pooled }) => {
    if (pooled) place++;
    const from = `features.${place}`;
    place += 2;
    const weight: Wanted = { from: `${from}.weight`, shape: [outputs, inputs, 3, 3], transform: 'conv' };
    const bias: Wanted = { from: `${from}.bias`, shape: [outputs] };
    return [[`${name}/weight`, weight] as const, [`${name}/bias`, bias] as const];
  });
  return Object.fromEntries(layers);
}
