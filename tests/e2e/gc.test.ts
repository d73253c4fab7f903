import fs from 'node:fs';
import test from 'ava';
import { createRanRig } from '../support/ran-rig.ts';
import { createRig, normalise, type Rig, until } from '../support/rig.ts';

function tidy(text: string, rig: Rig): string {
  return normalise(text, rig)
    .replaceAll(/[\d.]+ (B|KB)\b/g, '<size>')
    .replaceAll(/ +<size>/g, ' <size>')
    .replaceAll(/\b[0-9a-f]{12}\b/g, '<key>');
}

test('gc keeps what the experiment reaches: the next run of it runs nothing', async (t) => {
  const rig = await createRanRig(t);
  await rig.peco('run', 'experiment.ts', '--set', 'tokenizers.peco.weight=3');
  t.is(rig.entries().length, 14);
  rig.takeRan();

  const dry = await rig.peco('gc', 'experiment.ts', '--dry-run');
  t.is(dry.code, 0);
  t.snapshot(tidy(dry.stdout, rig));
  t.is(rig.entries().length, 14);

  const gc = await rig.peco('gc', 'experiment.ts');
  t.is(gc.code, 0);
  t.is(gc.stdout, dry.stdout.replace('would remove', 'removed').replace('would be', 'are'));
  t.is(rig.entries().length, 9);
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.deepEqual(rig.takeRan(), []);

  // The other variant is gone, and can be made again.
  t.is((await rig.peco('run', 'experiment.ts', '--set', 'tokenizers.peco.weight=3')).code, 0);
  t.deepEqual(rig.takeRan(), ['eval-peco-0', 'mim-peco-0', 'peco-0', 'probe-peco-0', 'report']);

  // Results that an early cut-off may find again stay.
  rig.write({ 'parts/tokenizer.ts': "export const other = 1;\nexport { run } from './stage.ts';\n" });
  await rig.peco('gc', 'experiment.ts');
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.deepEqual(rig.takeRan(), ['beit-0', 'peco-0']);
});

test('--json tells the same as data', async (t) => {
  const rig = createRig(t);
  await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/beit');
  const { stdout } = await rig.peco('gc', '--all', '--json');
  const told = JSON.parse(stdout);
  t.like(told, { dryRun: false, kept: { entries: 0, bytes: 0 }, inUse: [] });
  t.deepEqual(
    told.removed.map(({ kind }: { kind: string }) => kind),
    ['tokenizer/rig-tokenizer'],
  );
  t.true(told.freed > 0);
  t.deepEqual(rig.entries(), []);
});

test('gc beside a run leaves alone what the run may use', async (t) => {
  const rig = createRig(t);
  await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/beit');
  rig.command('mim-beit-0', 'wait deaf');
  const run = rig.start('run', 'experiment.ts', '--upto', 'pretraining/beit/base/seed-0');
  await rig.reached('mim-beit-0');
  const gc = await rig.peco('gc', '--all');
  t.snapshot(tidy(gc.stdout, rig));
  t.is(rig.entries().length, 1);
  rig.release('mim-beit-0');
  t.is((await run.done).code, 0);
  // Afterwards no experiment uses it.
  await rig.peco('gc', '--all');
  t.deepEqual(rig.entries(), []);
  await until(() => fs.readdirSync(rig.file('.peco/locks')).length === 0);
});

const usage: { readonly [name: string]: readonly string[] } = {
  'gc of nothing': ['gc'],
  'gc of all and of a file': ['gc', 'experiment.ts', '--all'],
  'gc with a wrong age': ['gc', '--older-than', '30'],
  'gc with a wrong size': ['gc', '--max-size', 'big'],
  'gc without a store': ['gc', '--all'],
};

for (const [name, args] of Object.entries(usage)) {
  test(`wrong usage: ${name}`, async (t) => {
    const rig = createRig(t);
    const { code, stdout, stderr } = await rig.peco(...args);
    t.is(code, 2);
    t.is(stdout, '');
    t.snapshot(normalise(stderr, rig));
  });
}
