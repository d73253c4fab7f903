import fs from 'node:fs';
import test from 'ava';
import { readResults } from '../../framework/read/results.ts';
import { ask } from '../support/ask.ts';
import { createRanRig } from '../support/ran-rig.ts';
import { createRig, normalise, type Rig } from '../support/rig.ts';

/** Content keys and times differ from run to run. */
function portable(text: string, rig: Rig): string {
  return normalise(text, rig)
    .replaceAll(/\b[0-9a-f]{12}\b/g, '<key>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<when>');
}

async function why(rig: Rig, stage: string, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await ask(rig, 'why', 'experiment.ts', stage, ...flags);
  return `exit ${code}\n${portable(stdout + stderr, rig)}`;
}

const sums = {
  'node_modules/sums/package.json':
    '{ "name": "sums", "version": "1.0.0", "type": "module", "main": "index.js" }',
  'node_modules/sums/index.js': 'export const sum = (a, b) => a + b;\n',
};

test.serial(
  'why tells five kinds of change, field by field: config, code, data, package, upstream',
  async (t) => {
    const rig = createRig(t, {
      ...sums,
      'images/train/1.png': 'one',
      'images/train/2.png': 'two',
      'parts/tokenizer.ts':
        "import { sum } from 'sums';\nexport const three = sum(1, 2);\nexport { run } from './stage.ts';\n",
    });
    rig.edit('experiment.ts', "data({ name: 'train' })", "data({ name: 'train', folder: 'images' })");
    t.snapshot(await why(rig, 'tokenizer/peco'), 'an empty store');
    t.is((await rig.peco('run', 'experiment.ts')).code, 0);
    t.snapshot(await why(rig, 'tokenizer/peco'), 'nothing changed');

    t.snapshot(await why(rig, 'tokenizer/peco', '--set', 'tokenizers.peco.weight=3'), 'config');
    const roots = await ask(rig, 'why', 'experiment.ts', '--set', 'tokenizers.peco.weight=3');
    t.snapshot(portable(roots.stdout, rig), 'without a stage: what runs by itself');
    t.snapshot(
      await why(rig, 'tokenizer/peco', '--set', 'tokenizers.peco.steps=4'),
      'config: what was a default',
    );
    t.snapshot(await why(rig, 'pretraining/peco/base/seed-1', '--seeds', '1'), 'another seed');

    rig.edit('images/train/1.png', 'one', 'One');
    rig.write({ 'images/train/3.png': 'three' });
    t.snapshot(await why(rig, 'tokenizer/peco'), 'data');
    rig.edit('images/train/1.png', 'One', 'one');
    rig.remove('images/train/3.png');

    rig.edit('node_modules/sums/package.json', '1.0.0', '1.0.1');
    t.snapshot(await why(rig, 'tokenizer/peco'), 'package');
    t.snapshot(await why(rig, 'evaluation/peco'), 'upstream: not known yet');
    rig.edit('node_modules/sums/package.json', '1.0.1', '1.0.0');

    await rig.peco('run', 'experiment.ts', '--set', 'tokenizers.peco.weight=3', '--upto', 'tokenizer/peco');
    t.snapshot(
      await why(rig, 'evaluation/peco', '--set', 'tokenizers.peco.weight=3'),
      'upstream: other bytes',
    );

    rig.edit('parts/stage.ts', 'loss: 1 / step', 'loss: 2 / step');
    rig.edit('parts/load.ts', "'images of '", "'pictures of '");
    t.snapshot(await why(rig, 'tokenizer/peco'), 'code');
    t.is((await ask(rig, 'why', 'experiment.ts', 'tokenizer/pecco')).code, 2);
    t.snapshot(await why(rig, 'tokenizer/pecco'), 'no such stage');
  },
);

test.serial('accept binds a stage to the result that it had before the change, and records it', async (t) => {
  const rig = await createRanRig(t);
  rig.edit('parts/stage.ts', 'loss: 1 / step', 'loss: 2 / step');
  const one = await ask(rig, 'accept', 'experiment.ts', 'tokenizer/peco', 'evaluation/beit');
  t.is(one.code, 1, 'one of the two is not accepted');
  t.snapshot(portable(one.stdout, rig));
  const all = await ask(rig, 'accept', 'experiment.ts', '--all');
  t.is(all.code, 0);
  t.regex(all.stdout, /downstream\/peco\/probe\/seed-0 {2}accepted/);
  const { cells } = await readResults('experiment.ts', { cwd: rig.dir });
  // Each variant has its own result, not that of another with today's code.
  t.deepEqual(
    cells.map(({ provenance }) => provenance?.stage),
    cells.map(({ stage }) => stage),
  );
  const { code, stdout } = await rig.peco('run', 'experiment.ts');
  t.is(code, 0);
  t.deepEqual(rig.takeRan(), []);
  t.regex(stdout, /9 stored, 0 ran/);
  t.snapshot(portable((await ask(rig, 'why', 'experiment.ts', 'tokenizer/peco')).stdout, rig));
  const key = rig
    .entries()
    .find((name) => rig.read(`.peco/entries/${name}/manifest.json`).includes('"accepted"'))!;
  t.regex(
    (await ask(rig, 'show', key)).stdout,
    /\n {2}accepted .* it is the result [0-9a-f]{12} although these differ\n/,
  );
  t.regex((await ask(rig, 'show')).stdout, /rig-tokenizer .* 2 accepted\n/);
  const unnamed = await ask(rig, 'accept', 'experiment.ts');
  t.is(unnamed.code, 2);
  t.snapshot(unnamed.stderr);
});

test.serial('accept refuses what differs in more than code, unless a flag allows it', async (t) => {
  const rig = createRig(t);
  await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco');
  const change = ['--set', 'tokenizers.peco.weight=5'];
  t.snapshot((await ask(rig, 'accept', 'experiment.ts', 'tokenizer/peco', ...change)).stdout);
  t.is(rig.entries().length, 1);
  const { stdout } = await ask(rig, 'accept', 'experiment.ts', 'tokenizer/peco', '--anything', ...change);
  t.regex(stdout, /^tokenizer\/peco\/seed-0 {2}accepted/);
  t.is(rig.entries().length, 2);
});

test.serial(
  'diff compares two experiments stage by stage, with metrics where both have results',
  async (t) => {
    const rig = createRig(t);
    rig.write({
      'other.ts': rig
        .read('experiment.ts')
        .replace('weight: 2', 'weight: 3')
        .replace('seeds: [0]', 'seeds: [0, 1]'),
    });
    await rig.peco('run', 'experiment.ts', '--upto', 'evaluation/peco');
    const same = await ask(rig, 'diff', 'experiment.ts', 'experiment.ts');
    t.is(same.stdout, 'experiment.ts -> experiment.ts: 9 stages the same, 0 different\n');
    t.snapshot((await ask(rig, 'diff', 'experiment.ts', 'other.ts')).stdout);
    t.snapshot(
      (await ask(rig, 'diff', 'experiment.ts', 'experiment.ts', '--set', 'tokenizers.peco.steps=7')).stdout,
    );
  },
);

test.serial('diff compares two runs by what they found or made', async (t) => {
  const rig = createRig(t);
  const upto = ['--upto', 'evaluation/peco', '--jobs', '1'];
  await rig.peco('run', 'experiment.ts', ...upto);
  const [first] = fs.readdirSync(rig.file('.peco/runs'));
  await rig.peco('run', 'experiment.ts', ...upto, '--set', 'tokenizers.peco.weight=3');
  const { code, stdout } = await ask(rig, 'diff', first!, 'last');
  t.is(code, 0);
  t.snapshot(stdout.replaceAll(/\d{8}-\d{6}-rig-[0-9a-f]+/g, '<run>'));
  const unknown = await ask(rig, 'diff', 'experiment.ts', 'nothing');
  t.is(unknown.code, 2);
  t.snapshot(normalise(unknown.stderr, rig));
});

test.serial('graph prints the DAG for mermaid and for graphviz', async (t) => {
  const rig = createRig(t);
  await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/beit');
  t.snapshot((await ask(rig, 'graph', 'experiment.ts')).stdout);
  t.snapshot(
    (await ask(rig, 'graph', 'experiment.ts', '--format', 'dot', '--upto', 'evaluation/beit')).stdout,
  );
});
