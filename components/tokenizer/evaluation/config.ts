import { z } from 'zod';
import type { WiredInput, WiredInputs, WiringIssue } from '../../../framework/stage/component.ts';
import { addFlops, type Costs, scaleFlops } from '../../../framework/stage/costs.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectAlike, factOf } from '../../../framework/stage/expect.ts';
import { expectLabels } from '../../data/expect-labels.ts';
import { smokeLabels, smokeView } from '../../data/smoke.ts';
import { expectSize } from '../../data/views/expect.ts';
import { stillViewSchema } from '../../data/views/view.ts';
import { linearFields, smokeLinear } from '../../training/linear-config.ts';

const schema = z.strictObject({
  /** Test images that are reconstructed for PSNR and codebook statistics. */
  images: z.number().int().positive().default(10000),
  /** Labelled training images for the linear probe on the mean codeword of an image; 0: no probe. */
  probeLabels: z.number().int().nonnegative().default(5000),
  /** How that probe is fitted. */
  probe: z.strictObject(linearFields).prefault({}),
  /** Test images shown in the picture. */
  pictures: z.number().int().positive().default(12),
  /** What of each image is seen, and at which size. */
  view: stillViewSchema.prefault({}),
});

export type TokenizerEvaluationConfig = z.output<typeof schema>;

/** What a tokenizer keeps of an image (PSNR), how it uses its codebook, and how semantic its codewords are. */
export const tokenizerEvaluation = defineComponent({
  role: 'evaluation',
  kind: 'tokenizer-evaluation',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  expects: ({ probeLabels, view }, inputs) => [
    ...expectSize(view, inputs.test),
    ...expectTiles(view, inputs.tokenizer),
    ...(probeLabels > 0 ? expectLabels({ path: ['probeLabels'], value: probeLabels }, inputs.train) : []),
    ...expectAlike('test', inputs, 'train', view.size === undefined ? ['size', 'channels'] : ['channels']),
    ...(probeLabels > 0 ? expectAlike('test', inputs, 'train', ['classes']) : []),
  ],
  smoke: ({ images, probeLabels, probe, pictures, view }, { inputs }) => ({
    images: Math.min(images, 16),
    probeLabels: probeLabels > 0 ? smokeLabels(probeLabels, inputs.train) : 0,
    probe: smokeLinear(probe, probeLabels, factOf(inputs.train, 'classes')),
    pictures: Math.min(pictures, 4),
    view: smokeView(view),
  }),
  costs: costsOf,
  offers: ({ probeLabels }) =>
    probeLabels > 0
      ? (['psnr', 'usage', 'perplexity', 'images', 'codewordTop1', 'codewordConverged'] as const)
      : (['psnr', 'usage', 'perplexity', 'images'] as const),
});

/** Codes of all that is measured and probed; the first images are made of their codes again. */
function costsOf(
  { images, probeLabels, view }: TokenizerEvaluationConfig,
  { train, test, tokenizer }: WiredInputs,
): Costs | undefined {
  const size = view.size ?? factOf(test, 'size');
  const use = size === undefined ? undefined : tokenizer?.use?.(size);
  const tested = factOf(test, 'images');
  if (!use?.back || tested === undefined) return undefined;
  const decoded = Math.min(images, tested);
  const labelled = Math.min(probeLabels, factOf(train, 'images') ?? probeLabels);
  const seen = probeLabels > 0 ? tested + labelled : decoded;
  return {
    parameters: 0,
    flops: addFlops(use.flops, scaleFlops(use.back, decoded / seen)),
    images: seen,
  };
}

/** Tokens tile the pictures. */
function expectTiles(
  { size }: TokenizerEvaluationConfig['view'],
  tokenizer: WiredInput | undefined,
): WiringIssue[] {
  const stride = factOf(tokenizer, 'stride');
  if (size === undefined || stride === undefined || size % stride === 0) return [];
  return [
    { path: ['view', 'size'], message: `expected a multiple of ${stride}, the stride of ${tokenizer!.name}` },
  ];
}
