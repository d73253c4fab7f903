/**
 * Text of the components of the rig's project: they compute nothing, note that they ran, and obey commands that a test
 * leaves in files, so that tests steer stages without waiting for time to pass.
 */
const config = `
import path from 'node:path';
import { z } from 'zod';
import { component, defineComponent } from 'peco-exp';

const stage = new URL('./stage.ts', import.meta.url).href;
const load = new URL('./load.ts', import.meta.url).href;
const schema = z.strictObject({ name: z.string(), steps: z.int().positive().default(3) });

export const data = defineComponent({
  role: 'dataset',
  kind: 'rig-data',
  schema: z.strictObject({ name: z.string(), folder: z.string().optional() }),
  load,
  files: ({ folder }) => (folder === undefined ? {} : { images: path.resolve(import.meta.dirname, '..', folder) }),
});
export const tokenizer = defineComponent({
  role: 'tokenizer',
  kind: 'rig-tokenizer',
  schema: z.strictObject({ name: z.string(), weight: z.number().default(1), steps: z.int().positive().default(3) }),
  run: new URL('./tokenizer.ts', import.meta.url).href,
  load,
});
export const evaluation = defineComponent({ role: 'evaluation', kind: 'rig-evaluation', schema, run: stage });
export const pretraining = defineComponent({ role: 'pretraining', kind: 'rig-pretraining', schema, run: stage, load });
export const downstream = defineComponent({ role: 'downstream', kind: 'rig-downstream', schema, run: stage });
export const report = defineComponent({
  role: 'report',
  kind: 'rig-report',
  schema: z.strictObject({}),
  run: new URL('./report.ts', import.meta.url).href,
});
`;

const stage = `
import fs from 'node:fs';
import path from 'node:path';
import type { StageContext, StageResult } from 'peco-exp';
import { obey } from './obey.ts';

export async function run(context: StageContext): Promise<StageResult> {
  const { config, inputs, outDir } = context;
  const label = labelOf(context);
  const made = [JSON.stringify(config.name)];
  const measures = config.name === 'eval' || config.name === 'probe';
  for (const [name, input] of measures ? [] : Object.entries(inputs).sort()) {
    made.push(name + ' ' + await input.load().catch((error) => error.message));
  }
  fs.writeFileSync(path.join(outDir, 'weights.txt'), 'half of it');
  const steps = Number(config.steps);
  for (let step = 1; step <= steps; step++) {
    context.progress({ step, of: steps, images: step * 8, values: { loss: 1 / step } });
    context.log({ step, loss: 1 / step });
  }
  await obey(label, context.signal);
  fs.writeFileSync(path.join(outDir, 'weights.txt'), made.join('\\n') + (config.weight ?? ''));
  return { metrics: { score: label.length, another: context.seed } };
}

function labelOf({ config, seed, inputs }: StageContext): string {
  const above = inputs.pretrained ?? inputs.tokenizer;
  const names = [config.name, above?.inputs.tokenizer?.config.name ?? above?.config.name, seed];
  return names.filter((part) => part !== undefined).join('-');
}
`;

const obey = `
import fs from 'node:fs';
import path from 'node:path';

const control = process.env.RIG_CONTROL!;

/** Notes that the stage has come here, then does what the test wants of it, if anything. */
export async function obey(label: string, signal: AbortSignal): Promise<void> {
  const command = path.join(control, 'commands', label);
  fs.appendFileSync(path.join(control, 'ran'), label + '\\n');
  // Two points of a sweep may have one label, and run at once.
  const written = path.join(control, label + '.' + process.pid);
  fs.writeFileSync(written, String(process.pid));
  fs.renameSync(written, path.join(control, 'reached', label));
  for (let what = read(command); what !== undefined; what = read(command)) {
    if (what === 'throw') throw new Error('the loss is NaN at step 3');
    if (what === 'print and throw') {
      console.log('reading 10 images');
      console.error('image 7 is broken');
      throw new Error('bad image');
    }
    if (what === 'exit') process.exit(3);
    if (what === 'die') process.kill(process.pid, 'SIGKILL');
    if (what === 'wait') signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Undefined once the test has taken the command away, which it may do at any moment. */
function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
`;

const load = `
import fs from 'node:fs';
import path from 'node:path';
import type { StageInput } from 'peco-exp';

export async function load(input: StageInput): Promise<string> {
  if (input.dir === '') return 'images of ' + input.config.name;
  const above = input.inputs.tokenizer ? ' over ' + await input.inputs.tokenizer.load() : '';
  return fs.readFileSync(path.join(input.dir, 'weights.txt'), 'utf8') + above;
}
`;

const report = `
import fs from 'node:fs';
import path from 'node:path';
import type { StageContext, StageResult } from 'peco-exp';

export async function run({ config, inputs, outDir }: StageContext): Promise<StageResult> {
  const { cells, missing } = config.table as any;
  fs.appendFileSync(path.join(process.env.RIG_CONTROL!, 'ran'), 'report\\n');
  const rows = cells.map(({ variant, task, seed, input }: any) => {
    const { metrics } = JSON.parse(fs.readFileSync(path.join(inputs[input].dir, 'metrics.json'), 'utf8'));
    return '| ' + [variant, task, seed, metrics.score].join(' | ') + ' |';
  });
  const gone = missing.map(({ variant, task, seed, reason }: any) => '| ' + [variant, task, seed, reason].join(' | ') + ' |');
  const lines = ['| variant | task | seed | score |', '| --- | --- | --- | --- |', ...rows, ...gone];
  fs.writeFileSync(path.join(outDir, 'ablation.md'), lines.join('\\n') + '\\n');
  fs.writeFileSync(path.join(outDir, 'ablation.csv'), lines.length + '\\n');
  return {};
}
`;

const experiment = `
import { defineExperiment } from 'peco-exp';
import { data, downstream, evaluation, pretraining, report, tokenizer } from './parts/config.ts';

export default defineExperiment({
  name: 'rig',
  seeds: [0],
  data: { train: data({ name: 'train' }), test: data({ name: 'test' }) },
  tokenizers: { beit: tokenizer({ name: 'beit' }), peco: tokenizer({ name: 'peco', weight: 2 }) },
  evaluation: evaluation({ name: 'eval' }),
  pretraining: { base: pretraining({ name: 'mim' }) },
  downstream: { probe: downstream({ name: 'probe' }) },
  baseline: 'beit',
  report: report({}),
});
`;

export const rigFiles: { readonly [name: string]: string } = {
  'package.json': '{ "name": "rig", "type": "module" }\n',
  'parts/config.ts': config,
  'parts/stage.ts': stage,
  'parts/tokenizer.ts': "export { run } from './stage.ts';\n",
  'parts/obey.ts': obey,
  'parts/load.ts': load,
  'parts/report.ts': report,
  'experiment.ts': experiment,
};
