import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { formatIdx } from '../../components/data/decode/idx.ts';
import { repository } from '../support/project.ts';
import { createRanRig } from '../support/ran-rig.ts';
import { createRig, normalise, type Rig } from '../support/rig.ts';

const command = ['run', 'experiment.ts', '--jobs', '1'] as const;

/** Scripts that a command loads, as V8 saw them; relative to the repository. */
function scriptsOf(rig: Rig, ...args: readonly string[]): string[] {
  const coverage = fs.mkdtempSync(rig.file('coverage-'));
  execFileSync(process.execPath, [path.join(repository, 'bin/peco-exp.js'), ...args], {
    cwd: rig.dir,
    env: { ...process.env, ...rig.environment, NODE_V8_COVERAGE: coverage },
  });
  const reports = fs
    .readdirSync(coverage)
    .map((name) => JSON.parse(fs.readFileSync(path.join(coverage, name), 'utf8')));
  const urls = new Set(reports.flatMap(({ result }) => result.map(({ url }: { url: string }) => url)));
  fs.rmSync(coverage, { recursive: true });
  return [...urls]
    .filter((url) => url.startsWith('file:'))
    .map((url) => path.relative(repository, fileURLToPath(url)))
    .sort();
}

test('a run in which nothing changed loads the launcher and the quick path, and nothing else', async (t) => {
  const rig = await createRanRig(t);
  const first = scriptsOf(rig, ...command).join('\n');
  t.regex(first, /dist\/cli\.js/);
  t.notRegex(first, /tfjs|onnxruntime|protobufjs/);
  t.deepEqual(scriptsOf(rig, ...command), ['bin/peco-exp.js', 'dist/quick.cjs']);
  if (fs.existsSync('/dev/full')) {
    const full = fs.openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(
      process.execPath,
      [path.join(repository, 'bin/peco-exp.js'), ...command],
      { cwd: rig.dir, env: { ...process.env, ...rig.environment }, stdio: ['ignore', full, 'pipe'] },
    );
    fs.closeSync(full);
    t.is(status, 1, 'on a full disk');
    t.regex(stderr.toString(), /^what this command prints can't be written: ENOSPC/);
  }
  // Nor does a plan load a tensor library, the display or the bundler.
  const loaded = scriptsOf(rig, 'plan', 'experiment.ts').join('\n');
  t.notRegex(loaded, /tfjs|onnxruntime|listr2|esbuild|csv-stringify|cosmiconfig|oxc-parser|protobufjs/);
});

test('the quick path says what the long one says', async (t) => {
  const rig = await createRanRig(t);
  const long = await rig.peco(...command);
  const quick = await rig.peco(...command);
  t.is(quick.code, 0);
  t.is(normalise(quick.stdout, rig), normalise(long.stdout, rig));
  t.true(quick.stdout.includes('9 stored, 0 ran'));

  // A published table that was changed is written again.
  rig.takeRan();
  rig.write({ 'results/rig/ablation.md': 'spoilt' });
  t.notRegex((await rig.peco(...command)).stdout, /spoilt/);
  t.notRegex(rig.read('results/rig/ablation.md'), /spoilt/);
  t.deepEqual(rig.takeRan(), []);
});

test('a reader that goes away is no error, and a variable that peco-exp reads belongs to the record', async (t) => {
  const rig = await createRanRig(t);
  await rig.peco(...command);
  const script = path.join(repository, 'bin/peco-exp.js');
  for (const args of [command.join(' '), 'plan experiment.ts']) {
    // `true` has ended long before anything is written.
    const line = `("${process.execPath}" "${script}" ${args} || echo failed >&2) | true`;
    const { stderr } = spawnSync('sh', ['-c', line], { cwd: rig.dir, encoding: 'utf8' });
    t.is(stderr, '');
  }
  process.env.PECO_STORE = rig.file('other');
  const run = rig.start(...command);
  delete process.env.PECO_STORE;
  t.is((await run.done).code, 0);
  t.is(fs.readdirSync(rig.file('other/entries')).length, 9);
});

const two = ['eval-peco-0', 'peco-0'];

/** One after the other in one project. */
const changes: readonly { title: string; change: (rig: Rig) => void; ran: readonly string[] }[] = [
  {
    title: 'a stored file that was cut off',
    change: (rig) => {
      const texts = rig.entries().map((name) => rig.file(`.peco/entries/${name}/outputs/weights.txt`));
      const file = texts.find((text) => fs.readFileSync(text, 'utf8').startsWith('"eval"'))!;
      fs.chmodSync(file, 0o644);
      fs.truncateSync(file, 1);
    },
    ran: ['eval-peco-0'],
  },
  {
    title: 'the experiment file',
    change: (rig) => rig.edit('experiment.ts', 'weight: 2', 'weight: 3'),
    ran: two,
  },
  {
    title: "a stage's code",
    change: (rig) =>
      rig.write({ 'parts/tokenizer.ts': "export const x = 1;\nexport { run } from './stage.ts';\n" }),
    ran: ['peco-0'],
  },
  {
    title: 'an image of a folder',
    change: (rig) => rig.edit('images/1.png', 'one', 'One'),
    ran: two,
  },
  { title: 'a new image', change: (rig) => rig.write({ 'images/3.png': 'three' }), ran: two },
  { title: 'the store, which is gone', change: (rig) => rig.remove('.peco'), ran: two },
  {
    title: 'a settings file',
    change: (rig) => rig.write({ 'peco.config.json': '{ "store": "elsewhere" }' }),
    ran: two,
  },
];

test('the quick path is not taken after a change of what the run depends on', async (t) => {
  const rig = createRig(t, { 'images/1.png': 'one', 'images/2.png': 'two' });
  rig.edit('experiment.ts', "data({ name: 'train' })", "data({ name: 'train', folder: 'images' })");
  const run = () => rig.peco('run', 'experiment.ts', '--upto', 'evaluation/peco');
  await run();
  rig.takeRan();
  for (const { title, change, ran } of changes) {
    change(rig);
    t.is((await run()).code, 0, title);
    t.deepEqual(rig.takeRan(), [...ran].sort(), title);
    t.regex((await run()).stdout, /2 stored, 0 ran/, title);
    t.deepEqual(rig.takeRan(), [], title);
  }
});

test('an experiment that reads a file when it is evaluated is evaluated every time', async (t) => {
  const rig = createRig(t, { 'weight.json': '2' });
  rig.edit('experiment.ts', 'weight: 2', "weight: JSON.parse(fs.readFileSync('weight.json', 'utf8'))");
  rig.edit('experiment.ts', 'import {', "import fs from 'node:fs';\nimport {");
  const run = () => rig.peco('run', 'experiment.ts', '--upto', 'evaluation/peco');
  await run();
  rig.takeRan();
  rig.write({ 'weight.json': '3' });
  await run();
  t.deepEqual(rig.takeRan(), two);
});

test('a variable that the experiment asked for and that was not set belongs to the record', async (t) => {
  const rig = createRig(t);
  rig.edit('experiment.ts', 'weight: 2', 'weight: Number(process.env.RIG_WEIGHT ?? 2)');
  const run = () => rig.start('run', 'experiment.ts', '--upto', 'evaluation/peco');
  t.is((await run().done).code, 0);
  process.env.RIG_WEIGHT = '5';
  const second = run();
  delete process.env.RIG_WEIGHT;
  const { code, stderr } = await second.done;
  t.is(code, 2);
  t.regex(stderr, /read by env\('RIG_WEIGHT'\)/);
});

test('a variable that made no difference belongs to the record', async (t) => {
  const rig = createRig(t);
  rig.edit('experiment.ts', 'weight: 2', "weight: process.env.RIG_MODE === 'other' ? 3 : 2");
  const run = (mode: string) => {
    process.env.RIG_MODE = mode;
    const { done } = rig.start('run', 'experiment.ts', '--upto', 'evaluation/peco');
    delete process.env.RIG_MODE;
    return done;
  };
  t.is((await run('one')).code, 0);
  t.regex((await run('other')).stderr, /read by env\('RIG_MODE'\)/);
});

test('packed data files that appear beside the unpacked ones win in the next run, and the other way round', async (t) => {
  const idx = (shape: readonly number[], shift: number) => {
    const data = Uint8Array.from(
      { length: shape.reduce((a, b) => a * b) },
      (_, index) => (index + shift) % 10,
    );
    return formatIdx({ shape, data });
  };
  const images = [20, 28, 28];
  const rig = createRig(t, { 'd/train-labels-idx1-ubyte': '' });
  fs.writeFileSync(rig.file('d/train-labels-idx1-ubyte'), idx([20], 0));
  fs.writeFileSync(rig.file('d/train-images-idx3-ubyte'), idx(images, 0));
  rig.edit('experiment.ts', "data({ name: 'train' })", "fashionMnist({ split: 'train', root: 'd' })");
  rig.edit('experiment.ts', 'import { defineExperiment }', 'import { defineExperiment, fashionMnist }');
  const run = async () => {
    t.is((await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco')).code, 0);
    return rig.takeRan();
  };
  t.deepEqual(await run(), ['peco-0']);
  t.deepEqual(await run(), []);
  fs.writeFileSync(rig.file('d/train-images-idx3-ubyte.gz'), gzipSync(idx(images, 1)));
  t.deepEqual(await run(), ['peco-0']);
  t.deepEqual(await run(), []);
  rig.remove('d/train-images-idx3-ubyte.gz');
  t.deepEqual(await run(), []); // the first result is found again
  fs.writeFileSync(rig.file('d/train-labels-idx1-ubyte'), idx([20], 1));
  t.deepEqual(await run(), ['peco-0']);
});

test('settings that are code are asked every time', async (t) => {
  const rig = createRig(t, {
    'peco.config.ts': "import { store } from './shared.ts';\nexport default { store };\n",
    'shared.ts': "export const store = 'one';\n",
  });
  const run = () => rig.peco('run', 'experiment.ts', '--upto', 'evaluation/peco');
  await run();
  rig.edit('shared.ts', 'one', 'two');
  await run();
  t.true(fs.existsSync(rig.file('two/entries')));
});

test('an edit during the run is seen by the next, however the record was made', async (t) => {
  const rig = createRig(t);
  rig.command('report', 'wait');
  rig.command('probe-peco-0', 'wait');
  const run = rig.start(...command);
  await rig.reached('probe-peco-0');
  rig.edit('experiment.ts', 'weight: 2', 'weight: 3');
  rig.release('probe-peco-0');
  t.is((await run.done).code, 0);
  rig.forget();
  t.is((await rig.peco(...command)).code, 0);
  t.deepEqual(rig.takeRan(), ['eval-peco-0', 'mim-peco-0', 'peco-0', 'probe-peco-0', 'report']);
});
