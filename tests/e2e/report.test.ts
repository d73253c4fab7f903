import fs from 'node:fs';
import test from 'ava';
import { schemas } from '../../framework/cli/json/schemas.ts';
import { reportSchema } from '../../reports/formats/json-schema.ts';
import { parseCsv } from '../support/csv.ts';
import { createRig } from '../support/rig.ts';

const seeded = `
import { z } from 'zod';
import { defineComponent } from 'peco-exp';

export const seeded = defineComponent({
  role: 'tokenizer',
  kind: 'rig-seeded',
  schema: z.strictObject({ name: z.string(), steps: z.int().default(3), seed: z.int().optional() }),
  run: new URL('./tokenizer.ts', import.meta.url).href,
  load: new URL('./load.ts', import.meta.url).href,
});
`;

/** An experiment of fake stages with the table of peco-exp. Metric `another` is the seed of the stage. */
function experimentOf(tokenizers: string): { readonly [name: string]: string } {
  const experiment = `
import { ablationTable, defineExperiment } from 'peco-exp';
import { data, downstream, evaluation, pretraining } from './parts/config.ts';
import { seeded } from './parts/seeded.ts';

export default defineExperiment({
  name: 'rig',
  seeds: [0, 1],
  data: { train: data({ name: 'train' }), test: data({ name: 'test' }) },
  tokenizers: { ${tokenizers} },
  evaluation: evaluation({ name: 'eval' }),
  pretraining: { base: pretraining({ name: 'mim' }) },
  downstream: { probe: downstream({ name: 'probe' }) },
  baseline: 'beit',
  report: ablationTable({ published: false, columns: [{ metric: 'another', label: 'seed %', scale: 100 }] }),
});
`;
  return { 'experiment.ts': experiment, 'parts/seeded.ts': seeded };
}

test('a seed that failed is in no difference', async (t) => {
  const rig = createRig(t, experimentOf("beit: seeded({ name: 'beit' }), peco: seeded({ name: 'peco' })"));
  rig.command('probe-peco-0', 'throw');
  const { code, stdout } = await rig.peco('run', 'experiment.ts');
  t.is(code, 1);
  // The means, 0.5 and 1, differ; on the seed that both have the rows are equal.
  t.regex(stdout, /\| beit \(baseline\) +\| +50\.00 ± 70\.71 \(2\) \|/);
  t.regex(stdout, /\| peco +\| +100\.00 \(1\) 0\.00 \|/);
  t.regex(stdout, /- Missing: peco, probe, seed 0: downstream\/peco\/probe/);
});

test('a tokenizer that all seeds share is counted in the cells behind it, in both tables', async (t) => {
  const rig = createRig(
    t,
    experimentOf("beit: seeded({ name: 'beit' }), peco: seeded({ name: 'peco', seed: 0 })"),
  );
  const { stdout } = await rig.peco('run', 'experiment.ts');
  t.regex(stdout, /\| beit \(baseline\) +\| +50\.00 ± 70\.71 \(2\) \|/);
  t.regex(stdout, /\| peco +\| +50\.00 \(2 seeds, 1 tokenizer\) 0\.00 \|/);
  const [head, beit, peco] = parseCsv(rig.read('results/rig/ablation.csv'));
  const of = (row: readonly string[]) => Object.fromEntries(head.map((name, index) => [name, row[index]]));
  t.like(of(beit), { 'probe.another.mean': '0.5', 'probe.another.n': '2', 'probe.another.shared': '' });
  t.like(of(peco), {
    'probe.another.mean': '0.5',
    'probe.another.sd': '',
    'probe.another.shared': 'tokenizer/peco',
    'probe.another.pairs': '2',
  });
});

test('pages say how the numbers were made, the same in a run and afterwards, also of a part', async (t) => {
  const rig = createRig(t, experimentOf("beit: seeded({ name: 'beit' }), peco: seeded({ name: 'peco' })"));
  rig.command('probe-peco-0', 'throw');
  t.is((await rig.peco('run', 'experiment.ts')).code, 1);
  const partial = reportSchema.parse(JSON.parse(rig.read('results/rig/report.json')));
  const probe = partial.stages.find(({ id }) => id === 'downstream/peco/probe/seed-0');
  t.like(probe, { state: 'missing', reason: 'failed', key: null, provenance: null });
  t.deepEqual(partial.command, ['run', 'experiment.ts']);

  rig.release('probe-peco-0');
  const whole = await rig.peco('run', 'experiment.ts', '--tensorboard', 'events');
  t.is(whole.code, 0);
  const events = /events\/rig: (\d+) event files for TensorBoard/.exec(whole.stdout)?.[1];
  const pages = ['report.json', 'history.csv', 'report.html', 'ablation.tex'];
  const written = pages.map((name) => rig.read(`results/rig/${name}`));
  const { stages } = reportSchema.parse(JSON.parse(written[0]));
  t.true(stages.every(({ state, key, provenance }) => state === 'stored' && key && provenance?.seconds));
  t.deepEqual(parseCsv(written[1]).slice(0, 2), [
    ['stage', 'kind', 'seed', 'step', 'loss'],
    ['tokenizer/beit/seed-0', 'rig-seeded', '0', '1', '1'],
  ]);
  for (const name of pages) rig.remove(`results/rig/${name}`);
  t.is((await rig.peco('report', 'experiment.ts')).code, 0);
  t.deepEqual(
    pages.map((name) => rig.read(`results/rig/${name}`)),
    written,
  );

  const curve = 'events/rig/tokenizer/peco/seed-0/events.out.tfevents.peco-exp';
  const points = fs.readFileSync(rig.file(curve), 'hex');
  const told = await rig.peco('report', 'experiment.ts', '--json', '--tensorboard', 'events');
  t.is(fs.readFileSync(rig.file(curve), 'hex'), points, 'what a run wrote is what a report would write');
  const { tensorboard } = schemas.report.parse(JSON.parse(told.stdout));
  t.deepEqual(tensorboard, { dir: rig.file('events/rig'), files: Number(events) });

  const part = await rig.peco(
    ...['report', 'experiment.ts', '--rows', 'peco,beit', '--precision', '1', '--sort', 'probe.another'],
  );
  t.is(part.code, 0, part.stderr);
  t.regex(part.stdout, /\n\| peco +\| +50\.0 ± 70\.7 \(2\) 0\.0 \[0\.0, 0\.0\] \|.*\n\| beit \(baseline\) /);
  t.regex(
    part.stdout,
    /\nA part of the table, or another order, by flags of this run:\n\n- Rows: peco, beit\n- Best probe.another first\n- Digits after the point: 1\n/,
  );
  const name = fs.readdirSync(rig.file('results')).find((one) => one.startsWith('rig@'))!;
  t.deepEqual(
    ['results.csv', 'history.csv'].map((file) => rig.read(`results/${name}/${file}`)),
    ['results.csv', 'history.csv'].map((file) => rig.read(`results/rig/${file}`)),
    'what is shown changes no number',
  );
  const wrong = await rig.peco('report', 'experiment.ts', '--rows', 'pecco', '--columns', 'seed %,psnr');
  t.is(wrong.code, 2);
  t.snapshot(wrong.stderr);
});
