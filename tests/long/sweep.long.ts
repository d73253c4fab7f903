import fs from 'node:fs';
import test from 'ava';
import { createRig, type Rig, until } from '../support/rig.ts';

/** A sweep of 8 x 5 x 5 points over real processes that train nothing. */
const config = `
import { z } from 'zod';
import { defineComponent } from 'peco-exp';

const run = new URL('./stage.ts', import.meta.url).href;
const load = new URL('./load.ts', import.meta.url).href;
const schema = z.strictObject({ name: z.string() });
const codebook = z.strictObject({ size: z.int().positive().default(8), dim: z.int().positive().default(4) }).prefault({});
const perceptual = z.strictObject({ weight: z.number().default(1) }).prefault({});

export const data = defineComponent({ role: 'dataset', kind: 'rig-data', schema, load });
export const tokenizer = defineComponent({
  role: 'tokenizer',
  kind: 'rig-tokenizer',
  schema: z.strictObject({ name: z.string(), codebook, loss: z.strictObject({ perceptual }).prefault({}) }),
  run,
  load,
});
export const evaluation = defineComponent({ role: 'evaluation', kind: 'rig-evaluation', schema, run });
export const pretraining = defineComponent({ role: 'pretraining', kind: 'rig-pretraining', schema, run, load });
export const downstream = defineComponent({ role: 'downstream', kind: 'rig-downstream', schema, run });
export const report = defineComponent({ role: 'report', kind: 'rig-report', schema: z.strictObject({}), run });
`;

const stage = `
import fs from 'node:fs';
import path from 'node:path';
import type { StageContext, StageResult } from 'peco-exp';

export async function run(context: StageContext): Promise<StageResult> {
  const label = labelOf(context);
  fs.appendFileSync(path.join(process.env.RIG_CONTROL!, 'ran'), label + '\\n');
  fs.writeFileSync(path.join(context.outDir, 'label'), label);
  return { metrics: { score: label.length } };
}

function labelOf({ config, inputs }: StageContext): string {
  if (config.table) return 'report';
  const above = inputs.pretrained?.inputs.tokenizer ?? inputs.tokenizer;
  return JSON.stringify([config, above?.config ?? null, inputs.pretrained?.config ?? null]);
}
`;

function createSweptRig(t: Parameters<typeof createRig>[0]): Rig {
  const rig = createRig(t, { 'parts/config.ts': config, 'parts/stage.ts': stage });
  rig.edit('experiment.ts', 'import { defineExperiment }', 'import { defineExperiment, product }');
  rig.edit('experiment.ts', "name: 'peco', weight: 2", "name: 'peco'");
  rig.edit(
    'experiment.ts',
    "baseline: 'beit',",
    `baseline: 'beit',
  sweep: product({
    'tokenizers.peco.codebook.size': [16, 32, 64, 128, 256, 512, 1024, 2048],
    'tokenizers.peco.codebook.dim': [4, 8, 16, 32, 64],
    'tokenizers.peco.loss.perceptual.weight': [0, 0.5, 1, 2, 4],
  }),`,
  );
  return rig;
}

/** Tokenizer, evaluation, pretraining and probe of 200 points and of the baseline; the report. */
const stages = 4 * (200 + 1) + 1;

/** Labels of the stages whose results are in the store. */
function finished(rig: Rig): Set<string> {
  return new Set(
    rig.entries().map((key) => fs.readFileSync(rig.file(`.peco/entries/${key}/outputs/label`), 'utf8')),
  );
}

test('a sweep of 200 points, interrupted three times: no stage that had finished runs twice', async (t) => {
  const rig = createSweptRig(t);
  const ran = (): number => {
    const file = rig.file('control/ran');
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').length : 0;
  };
  // Numerical Recipes' generator; between a tenth and a third of the stages in each run.
  let state = 20260726;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(stages * (0.1 + (0.2 * state) / 2 ** 32));
  };
  const starts = new Map<string, number>();
  let done = new Set<string>();
  for (const signal of ['SIGINT', 'SIGKILL', 'SIGKILL', undefined] as const) {
    const run = rig.start('run', 'experiment.ts', '--jobs', '2');
    const goal = next();
    if (signal) {
      await until(() => ran() >= goal || run.process.exitCode !== null);
      run.process.kill(signal);
    }
    const outcome = await run.done;
    if (signal === 'SIGKILL') t.is(outcome.signal, 'SIGKILL');
    else t.is(outcome.code, signal === 'SIGINT' ? 130 : 0, outcome.stderr);
    const labels = rig.takeRan();
    t.deepEqual(
      labels.filter((label) => done.has(label)),
      [],
      'none of these had a result',
    );
    t.is(new Set(labels).size, labels.length, 'nor did any run twice at once');
    for (const label of labels) starts.set(label, (starts.get(label) ?? 0) + 1);
    done = finished(rig);
    t.log(
      `${signal ?? 'to the end'}: ${labels.length} stages started, ${done.size} of ${stages} have results`,
    );
  }
  t.is(done.size, stages);
  t.is(starts.size, stages);
  const again = [...starts.values()].filter((count) => count > 1).length;
  // Two jobs, three interruptions: no more than these can have been cut off.
  t.true(again <= 6);
  t.log(`${again} stages were cut off and started again; ${stages - again} ran once`);
  t.is(rig.read('results/rig/timing.csv').trim().split('\n').length, stages + 1);

  const last = await rig.peco('run', 'experiment.ts');
  t.is(last.code, 0);
  t.deepEqual(rig.takeRan(), [], 'nothing is left to run');
});
