import { repository } from './project.ts';

const defineFile = JSON.stringify(`${repository}/framework/stage/define.ts`);

/** Components that compute nothing, one folder each, the way real ones are laid out. */
export const fakeComponents: { readonly [name: string]: string } = {
  'parts/data/config.ts': `
import path from 'node:path';
import { z } from 'zod';
import { defineComponent } from ${defineFile};
export const folder = defineComponent({
  role: 'dataset',
  kind: 'folder',
  schema: z.strictObject({ file: z.string(), channels: z.int().default(1) }),
  load: new URL('./load.ts', import.meta.url).href,
  files: (config) => ({ images: path.resolve(import.meta.dirname, '../..', config.file) }),
});
`,
  'parts/data/load.ts': `
import { decode } from './decode.ts';
export async function load(input: unknown) { return decode(input); }
`,
  'parts/data/decode.ts': `
/** Turns bytes into numbers. */
export function decode(input: unknown) { return input; }
`,
  'parts/data/train.bin': 'train images',
  'parts/data/test.bin': 'test images',
  'parts/network/config.ts': `
import { z } from 'zod';
import { defineComponent } from ${defineFile};
export const vgg = defineComponent({
  role: 'network',
  kind: 'vgg',
  schema: z.strictObject({ width: z.int().positive().default(32) /* channels */, steps: z.int().positive().default(100) }),
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  offers: ['relu1_2', 'relu2_2', 'relu3_3'],
});
`,
  'parts/network/stage.ts': `
import type { Shape } from './shape.ts';
import { train } from '../common.ts';
export async function run(context: unknown): Promise<Shape> { return train(context, 'network'); }
`,
  'parts/network/shape.ts': 'export interface Shape { readonly metrics: object }\n',
  'parts/network/load.ts': 'export async function load(input: unknown) { return input; }\n',
  'parts/common.ts': `
/** Shared by all stages. */
export function train(context: unknown, name: string) { return { metrics: { [name]: 1 }, context }; }
`,
  'parts/tokenizer/config.ts': `
import { z } from 'zod';
import { type Offering, component, defineComponent } from ${defineFile};
import type { Component } from ${defineFile.replace('define.ts', 'component.ts')};
import { checkOffered } from ${defineFile.replace('define.ts', 'issues.ts')};
const perceptual = z.strictObject({
  network: component('network'),
  layers: z.array(z.string()).min(1),
  weight: z.number().nonnegative().default(1),
});
const schema = z.strictObject({
  stride: z.literal([4, 8]).default(8),
  codebook: z.strictObject({ size: z.int().positive(), dim: z.int().positive().default(32), decay: z.number().min(0).max(1).default(0.99) }),
  loss: z.strictObject({ pixel: z.number().default(1), perceptual: perceptual.optional() }),
});
const construct = defineComponent({
  role: 'tokenizer',
  kind: 'vqvae',
  schema,
  run: new URL('./stage.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
  inputs: (input) => ({ network: input.loss.perceptual?.network }),
  check: (config, { network }) =>
    checkOffered(config.loss.perceptual?.layers ?? [], network, { path: ['loss', 'perceptual', 'layers'], what: 'layer' }),
});
type Perceptual<Layer extends string> = Omit<z.input<typeof perceptual>, 'network' | 'layers'> & {
  readonly network: Component<'network'> & Offering<Layer>;
  readonly layers: readonly NoInfer<Layer>[];
};
type Input<Layer extends string> = Omit<z.input<typeof schema>, 'loss'> & {
  readonly loss: { readonly pixel?: number; readonly perceptual?: Perceptual<Layer> };
};
export function vqvae<Layer extends string = never>(input: Input<Layer>) {
  return construct(input as z.input<typeof schema>);
}
`,
  'parts/tokenizer/stage.ts': `
import { train } from '../common.ts';
export async function run(context: unknown) { return train(context, 'tokenizer'); }
`,
  'parts/tokenizer/load.ts': `
import { codes } from './codes.ts';
export async function load(input: unknown) { return codes(input); }
`,
  'parts/tokenizer/codes.ts': 'export function codes(input: unknown) { return [input]; }\n',
  'parts/evaluation/config.ts': plain('evaluation', 'measures', 'images: z.int().positive().default(64)'),
  'parts/evaluation/stage.ts': plainStage('evaluation'),
  'parts/pretraining/config.ts': plain(
    'pretraining',
    'mim',
    'steps: z.int().positive(), maskRatio: z.number().default(0.4)',
  ),
  'parts/pretraining/stage.ts': `
import { train } from '../common.ts';
import { blocks } from './masks.ts';
export async function run(context: unknown) { return train(context, String(blocks(4))); }
`,
  'parts/pretraining/masks.ts': `
// Block-wise masks.
export function blocks(count: number) { return count * 2; }
`,
  'parts/downstream/config.ts': plain(
    'downstream',
    'classify',
    'labels: z.int().positive(), steps: z.int().positive().default(600)',
  ),
  'parts/downstream/stage.ts': plainStage('downstream'),
  'parts/report/config.ts': plain('report', 'table', "title: z.string().default('')"),
  'parts/report/stage.ts': 'export async function run() { return {}; }\n',
};

/** An experiment of four rows on those components. Seed count: 2. */
export const fakeExperiment = `
import { defineExperiment } from '${repository}/framework/experiment/define.ts';
import { folder } from './parts/data/config.ts';
import { classify } from './parts/downstream/config.ts';
import { measures } from './parts/evaluation/config.ts';
import { vgg } from './parts/network/config.ts';
import { mim } from './parts/pretraining/config.ts';
import { table } from './parts/report/config.ts';
import { vqvae } from './parts/tokenizer/config.ts';

const codebook = { size: 256, dim: 32 };
const network = vgg({ width: 16 });

export default defineExperiment({
  name: 'fake',
  seeds: [0, 1],
  data: { train: folder({ file: 'parts/data/train.bin' }), test: folder({ file: 'parts/data/test.bin' }) },
  tokenizers: {
    pixel: vqvae({ codebook, loss: { pixel: 1 } }),
    peco: vqvae({ codebook, loss: { pixel: 1, perceptual: { network, layers: ['relu2_2'], weight: 1 } } }),
    shallow: vqvae({ codebook, loss: { pixel: 1, perceptual: { network: vgg({ width: 16 }), layers: ['relu1_2'] } } }),
  },
  pretraining: { base: mim({ steps: 1000 }) },
  downstream: { finetune: classify({ labels: 2000 }), probe: classify({ labels: 5000, steps: 100 }) },
  evaluation: measures({}),
  scratch: { downstream: { finetune: classify({ labels: 2000, steps: 3000 }) } },
  baseline: 'pixel',
  report: table({ title: 'fake' }),
});
`;

function plain(role: string, kind: string, fields: string): string {
  return `
import { z } from 'zod';
import { defineComponent } from ${defineFile};
export const ${kind} = defineComponent({
  role: '${role}',
  kind: '${kind}',
  schema: z.strictObject({ ${fields} }),
  run: new URL('./stage.ts', import.meta.url).href,
});
`;
}

function plainStage(name: string): string {
  return `
import { train } from '../common.ts';
export async function run(context: unknown) { return train(context, '${name}'); }
`;
}
