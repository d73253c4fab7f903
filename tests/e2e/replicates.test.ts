import test from 'ava';
import { createRig, normalise, type Rig } from '../support/rig.ts';

/** Two seeds; tokenizers may name one. */
function withTwoSeeds(rig: Rig): Rig {
  rig.edit('parts/config.ts', 'weight: z.number()', 'seed: z.int().optional(), weight: z.number()');
  rig.edit('experiment.ts', 'seeds: [0]', 'seeds: [0, 1]');
  return rig;
}

const portable = (text: string, rig: Rig) =>
  normalise(text, rig)
    .replaceAll(/\b[0-9a-f]{12}\b/g, '<key>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<when>');

test('a tokenizer is trained and measured by every seed, or once for all if its config names one', async (t) => {
  const rig = withTwoSeeds(createRig(t));
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  const rows = ['beit', 'peco'];
  const parts = ['', 'eval-', 'mim-', 'probe-'];
  const labels = rows.flatMap((row) =>
    parts.flatMap((part) => [0, 1].map((seed) => `${part}${row}-${seed}`)),
  );
  t.deepEqual(rig.takeRan(), [...labels, 'report'].sort());
  // One tokenizer for both: that of seed 1, which is there. Its row of seed 0 goes on from it now.
  const shared = ['run', 'experiment.ts', '--set', 'tokenizers.peco.seed=1'];
  t.is((await rig.peco(...shared)).code, 0);
  t.deepEqual(rig.takeRan(), ['mim-peco-0', 'probe-peco-0', 'report']);
  t.is((await rig.peco(...shared)).code, 0);
  t.deepEqual(rig.takeRan(), []);
});

test('a name without a seed means all seeds, for --upto, why and accept', async (t) => {
  const rig = withTwoSeeds(createRig(t));
  const run = async (...flags: string[]) => {
    const { code, stdout } = await rig.peco('run', 'experiment.ts', '--jobs', '1', ...flags);
    t.is(code, 0);
    return portable(stdout, rig);
  };
  t.snapshot(await run('--upto', 'evaluation/peco'), 'run');
  t.deepEqual(rig.takeRan(), ['eval-peco-0', 'eval-peco-1', 'peco-0', 'peco-1']);
  await run('--upto', 'tokenizer/peco/seed-1', '--upto', 'tokenizer/beit/seed-1');
  t.deepEqual(rig.takeRan(), ['beit-1']);

  const change = ['--set', 'tokenizers.peco.weight=3'];
  const why = async (...flags: string[]) =>
    (await rig.peco('why', 'experiment.ts', 'tokenizer/peco', ...flags)).stdout;
  t.snapshot(portable(await why(...change), rig), 'why');
  t.snapshot(portable(await why('--seeds', '0,1,2'), rig), 'why of a seed more');
  const lines = (await why('--json', ...change)).trim().split('\n');
  t.deepEqual(
    lines.map((line) => JSON.parse(line).stage),
    ['tokenizer/peco/seed-0', 'tokenizer/peco/seed-1'],
  );

  rig.edit('parts/stage.ts', 'loss: 1 / step', 'loss: 2 / step');
  const accepted = await rig.peco('accept', 'experiment.ts', 'tokenizer/peco');
  t.snapshot(portable(accepted.stdout, rig), 'accept');
  await run('--upto', 'tokenizer/peco');
  t.deepEqual(rig.takeRan(), []);
});
