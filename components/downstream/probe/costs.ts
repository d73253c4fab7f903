import type { WiredInputs } from '../../../framework/stage/component.ts';
import type { Costs } from '../../../framework/stage/costs.ts';
import { factOf } from '../../../framework/stage/expect.ts';
import type { VitConfig } from '../../backbone/config.ts';
import { backboneOf, vitCounts } from '../../backbone/costs.ts';

interface Probe {
  readonly backbone?: VitConfig | undefined;
  readonly layer?: number | undefined;
  readonly layers?: readonly number[] | 'all' | undefined;
  readonly labels?: number | undefined;
  readonly view: { readonly size?: number | undefined };
}

/** Features of labelled and test images, once; the fit of the classifier takes little beside them. */
export function costs(config: Probe, { train, test, pretrained }: WiredInputs): Costs | undefined {
  const backbone = backboneOf(config.backbone, pretrained);
  const imageSize = config.view.size ?? factOf(train, 'size');
  const classes = factOf(train, 'classes');
  if (!backbone || imageSize === undefined || classes === undefined) return undefined;
  const whole = vitCounts(backbone, { imageSize }).body;
  const layers = probedLayers(config, backbone.depth);
  const { flops } = vitCounts(backbone, { imageSize, depth: Math.max(...layers) }).body;
  const tested = factOf(test, 'images');
  const labels = config.labels ?? factOf(train, 'images');
  return {
    parameters: layers.length * (backbone.dim + 1) * classes,
    flops: { dense: flops },
    ...(tested === undefined || labels === undefined ? {} : { images: labels + tested }),
    // Weights in two copies; features are on disk where they are many.
    memory: 8 * whole.parameters,
  };
}

function probedLayers({ layer, layers = [layer!] }: Probe, depth: number): readonly number[] {
  return layers === 'all' ? Array.from({ length: depth }, (_, block) => block + 1) : layers;
}
