import fs from 'node:fs';
import test from 'ava';
import { createRanRig } from '../support/ran-rig.ts';
import { createRig, normalise, type Rig } from '../support/rig.ts';

const folders = (rig: Rig): string[] => fs.readdirSync(rig.file('results')).sort();

function readFolder(rig: Rig, name: string): { readonly [file: string]: string } {
  const files = fs.readdirSync(rig.file(`results/${name}`)).filter((file) => file !== 'timing.csv');
  return Object.fromEntries(files.map((file) => [file, rig.read(`results/${name}/${file}`)]));
}

test('a changed experiment leaves the tables of the plain one, by whatever flag it was changed', async (t) => {
  const rig = await createRanRig(t);
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  const plain = readFolder(rig, 'rig');
  const changes = [
    ['--set', 'tokenizers.peco.weight=3'],
    ['--seeds', '0,1'],
    ['--sweep', 'tokenizers.peco.weight=3,4'],
    ['--set', 'tokenizers.peco.weight=3', '--seeds', '1'],
  ];
  for (const flags of changes) t.is((await rig.peco('run', 'experiment.ts', ...flags)).code, 0);
  const all = folders(rig);
  t.snapshot(all);
  t.is(all.length, 1 + changes.length);
  t.deepEqual(readFolder(rig, 'rig'), plain);
  for (const folder of all.slice(1)) {
    t.regex(rig.read(`results/${folder}/timing.csv`).split('\n')[0]!, /,changed$/);
    t.true(JSON.parse(rig.read(`results/${folder}/config.json`)).changes.length > 0);
    t.true(JSON.parse(rig.read(`results/${folder}/run.json`)).changes.length > 0);
  }
  // The quick path knows one from the other.
  const quick = await rig.peco('run', 'experiment.ts');
  t.regex(quick.stdout, /\n {2}results\/rig\/run\.json\n/);
  t.deepEqual(readFolder(rig, 'rig'), plain);
});

test('flags that say what the file says change nothing', async (t) => {
  const rig = await createRanRig(t);
  // The value of the file, a default, and the seeds that it has.
  await rig.peco('run', 'experiment.ts', '--set', 'tokenizers.peco.weight=2', '--seeds', '0');
  await rig.peco('run', 'experiment.ts', '--set', 'tokenizers.beit.weight=1');
  t.deepEqual(folders(rig), ['rig']);
  t.deepEqual(rig.takeRan(), []);
});

test('the report learns the change, and no other stage', async (t) => {
  const rig = await createRanRig(t);
  await rig.peco('run', 'experiment.ts', '--seeds', '0,1');
  rig.takeRan();
  rig.edit('experiment.ts', 'seeds: [0]', 'seeds: [0, 1]');
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.deepEqual(rig.takeRan(), ['report'], 'the same experiment, of which the file says it all now');
});

test('two files of one name are refused before anything runs, also by plan', async (t) => {
  const rig = await createRanRig(t);
  rig.write({ 'other.ts': rig.read('experiment.ts').replace('weight: 2', 'weight: 5') });
  const plain = readFolder(rig, 'rig');
  for (const command of ['run', 'plan']) {
    const { code, stderr } = await rig.peco(command, 'other.ts');
    t.is(code, 2);
    t.snapshot(normalise(stderr, rig), command);
  }
  t.deepEqual(rig.takeRan(), []);
  t.deepEqual(readFolder(rig, 'rig'), plain);
  t.is((await rig.peco('run', 'other.ts', '--out', 'elsewhere')).code, 0);
  t.is(
    (await rig.peco('run', 'experiment.ts', '--out', 'elsewhere')).code,
    2,
    'nor in a folder that --out names',
  );
  // Without tables nothing is in the way.
  t.is((await rig.peco('run', 'other.ts', '--upto', 'tokenizer/beit')).code, 0);
});

test('files of others in the results folder stay, and one in the way is an error', async (t) => {
  const rig = await createRanRig(t);
  rig.remove('results');
  rig.write({ 'results/rig/notes.txt': 'mine', 'results/rig/what.json': 'mine' });
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.is(rig.read('results/rig/notes.txt'), 'mine');
  rig.write({ 'own/rig/ablation.md': 'mine' });
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--out', 'own');
  t.is(code, 1);
  t.regex(
    stdout,
    /own\/rig\/ablation\.md is there, and peco-exp did not write it: nothing was changed; choose another/,
  );
  t.deepEqual(fs.readdirSync(rig.file('own/rig')), ['ablation.md']);
  t.is(rig.read('own/rig/ablation.md'), 'mine');
});

test('config.json is the resolved experiment, the same on every machine', async (t) => {
  const [one, two] = [createRig(t, { 'images/a.bin': 'a' }), createRig(t, { 'images/a.bin': 'a' })];
  for (const rig of [one, two]) {
    rig.edit('experiment.ts', "data({ name: 'train' })", "data({ name: 'train', folder: 'images' })");
  }
  t.is((await one.peco('run', 'experiment.ts')).code, 0);
  // The results are those of the other machine; config.json is written again.
  fs.cpSync(one.file('.peco'), two.file('.peco'), { recursive: true });
  t.is((await two.peco('run', 'experiment.ts')).code, 0);
  t.deepEqual(two.takeRan(), []);
  t.is(one.read('results/rig/config.json'), two.read('results/rig/config.json'));
  t.snapshot(one.read('results/rig/config.json'));
});
