import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { repository } from '../support/project.ts';
import {
  compile,
  type Installer,
  installInto,
  isReachable,
  packRepository,
  resolutions,
  runInstalled,
} from './support/packed.ts';

const run = promisify(execFile);
const proof = isReachable ? test : test.skip;

const experiment = `
import { ablationTable, defineExperiment, fashionMnist, maskedImageModelling, vit, vqvae } from 'peco-exp';
import { brightness } from './brightness/config.ts';

export default defineExperiment({
  name: 'packed',
  seeds: [0],
  data: {
    train: fashionMnist({ split: 'train', range: [0, 300] }),
    test: fashionMnist({ split: 'test', range: [0, 200] }),
  },
  tokenizers: { small: vqvae({ width: 16, codebook: { size: 16, dim: 8 }, steps: 4, batchSize: 8 }) },
  pretraining: {
    base: maskedImageModelling({
      backbone: vit({ dim: 16, depth: 1, heads: 2, patch: 8 }),
      steps: 4,
      batchSize: 8,
    }),
  },
  downstream: { brightness: brightness({}) },
  baseline: 'small',
  report: ablationTable(),
});
`;

const config = `
import { defineComponent } from 'peco-exp';
import { z } from 'zod';

export const brightness = defineComponent({
  role: 'downstream',
  kind: 'brightness',
  schema: z.strictObject({}),
  run: new URL('./stage.ts', import.meta.url).href,
});
`;

// A test image is of the class whose mean brightness is nearest: for that no network is needed.
const stage = `
import type { Dataset, StageContext } from 'peco-exp/kit';

async function brightnessOf(data: Dataset, index: number): Promise<number> {
  const image = await data.image(index);
  if (!('bytes' in image)) throw new Error(image.file + ' is still to be read');
  return image.bytes.reduce((sum, value) => sum + value, 0) / image.bytes.length;
}

export async function run({ inputs }: StageContext) {
  const train = (await inputs.train!.load()) as Dataset;
  const test = (await inputs.test!.load()) as Dataset;
  const sums = train.classes.map(() => ({ sum: 0, count: 0 }));
  for (let i = 0; i < train.count; i++) {
    const own = sums[await train.target(i)]!;
    own.sum += await brightnessOf(train, i);
    own.count++;
  }
  let right = 0;
  for (let i = 0; i < test.count; i++) {
    const value = await brightnessOf(test, i);
    const distances = sums.map(({ sum, count }) => Math.abs(sum / count - value));
    if (distances.indexOf(Math.min(...distances)) === (await test.target(i))) right++;
  }
  return { metrics: { top1: right / test.count, images: test.count } };
}
`;

proof(
  'the packed package, installed into a fresh project, runs an experiment with a component of its own',
  async (t) => {
    t.timeout(20 * 60_000);
    const project = await installInto(t, {
      files: { 'experiment.ts': experiment, 'brightness/config.ts': config, 'brightness/stage.ts': stage },
      tarball: await packRepository(t),
      by: 'npm',
    });
    const peco = (...args: string[]) => runInstalled(project, args);
    t.regex(await peco('run', 'experiment.ts'), /0 stored, 4 ran/);
    t.regex(await peco('run', 'experiment.ts'), /4 stored, 0 ran/);
    t.regex(await peco('why', 'experiment.ts', 'downstream/small/brightness'), /is stored: nothing changed/);
    project.edit('brightness/stage.ts', 'Math.abs(sum / count - value)', 'Math.abs(value - sum / count)');
    t.regex(
      await peco('run', 'experiment.ts'),
      /3 stored, 1 ran/,
      'its bytes are the same: the report stays',
    );

    const script = `
    import { readResults } from 'peco-exp/results';
    const { cells } = await readResults('experiment.ts');
    console.log(JSON.stringify(cells));
  `;
    const { stdout: cells } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: project.dir,
    });
    t.regex(cells, /"images":200\b/);
    // What the package says of its types is what a strict project reads.
    for (const resolution of ['nodenext', 'bundler'] as const)
      t.is(await compile(project, resolution, ['experiment.ts', 'brightness/stage.ts']), '');
  },
);

/** Files of the guide's examples, as a project of its own has them. */
function exampleFiles(): { [name: string]: string } {
  const folder = path.join(repository, 'docs/examples');
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const wanted = names.filter(
    (name) => /^(your-own|own-tokenizer)\.ts$/.test(name) || /[\\/].*\.ts$/.test(name),
  );
  return Object.fromEntries(wanted.map((name) => [name, fs.readFileSync(path.join(folder, name), 'utf8')]));
}

for (const by of ['npm', 'pnpm'] satisfies Installer[]) {
  proof(
    `the guide's components run in a fresh project that ${by} installed, and compile there`,
    async (t) => {
      t.timeout(20 * 60_000);
      const files = exampleFiles();
      const project = await installInto(t, { files, tarball: await packRepository(t), by });
      const images = project.file('images');
      await run(process.execPath, ['--import=tsx', 'docs/examples/make-images.ts', images], {
        cwd: repository,
      });
      const peco = (...args: string[]) => runInstalled(project, args, { IMAGES: images });
      t.regex(await peco('run', 'your-own.ts'), /0 stored, 9 ran/);
      t.regex(await peco('run', 'your-own.ts'), /9 stored, 0 ran/);
      t.regex(await peco('run', 'own-tokenizer.ts'), /0 stored, 9 ran/);
      t.regex(project.read('results/own-tokenizer/ablation.md'), /^\| fsq +\|( [−\d.]+ .*\|){3}/m);
      t.regex(project.read('results/own-tokenizer/history.csv'), /^tokenizer\/fsq\/seed-0,/m);
      for (const resolution of Object.keys(resolutions) as (keyof typeof resolutions)[])
        t.is(await compile(project, resolution, Object.keys(files)), '', resolution);

      // Another version of the package: what it changed reruns, and what it left alone doesn't.
      project.edit(
        'node_modules/peco-exp/components/training/fit.ts',
        /$/,
        '\nexport const another = "version";\n',
      );
      const why = await peco('why', 'own-tokenizer.ts', 'tokenizer/fsq/seed-0');
      t.regex(why, /components\/training\/fit\.ts/);
      const other = await peco('why', 'your-own.ts', 'tokenizer/patches/seed-0');
      t.regex(other, /is stored: nothing changed/);
    },
  );
}

proof('publint and attw find nothing wrong with the tarball', async (t) => {
  t.timeout(10 * 60_000);
  const tarball = await packRepository(t);
  const bin = (name: string) => path.join(repository, 'node_modules/.bin', name);
  await t.notThrowsAsync(run(bin('publint'), ['run', tarball, '--strict']));
  await t.notThrowsAsync(run(bin('attw'), [tarball, '--profile', 'esm-only']));
});
