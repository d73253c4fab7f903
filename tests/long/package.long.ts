import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { createProject, repository } from '../support/project.ts';

const run = promisify(execFile);
// Only npm knows which registry it is set up for.
const reachable = spawnSync('npm', ['view', 'zod', 'version'], { timeout: 60_000 }).status === 0;
const proof = reachable ? test : test.skip;

const notCopied = new Set(['node_modules', 'dist', '.git', '.peco', 'results']);

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
import type { Dataset, StageContext } from 'peco-exp';

async function brightnessOf(data: Dataset, index: number): Promise<number> {
  const image = await data.image(index);
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

const tsconfig = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    skipLibCheck: true, // as most projects have it: declarations of TensorFlow.js contradict those of browsers
    module: 'nodenext',
    target: 'es2023',
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [path.join(repository, 'node_modules/@types')],
  },
  files: ['experiment.ts', 'brightness/stage.ts'],
};

proof(
  'the packed package, installed into a fresh project, runs an experiment with a component of its own',
  async (t) => {
    t.timeout(20 * 60_000);
    const clone = createProject(t, {});
    clone.remove('node_modules');
    clone.remove('package.json');
    for (const name of fs.readdirSync(repository).filter((one) => !notCopied.has(one)))
      fs.cpSync(path.join(repository, name), clone.file(name), { recursive: true });
    fs.symlinkSync(path.join(repository, 'node_modules'), clone.file('node_modules'));
    await run('npm', ['run', '--silent', 'package'], { cwd: clone.dir });
    const tarball = fs.readdirSync(clone.dir).find((name) => name.endsWith('.tgz'))!;

    const project = createProject(t, {
      'experiment.ts': experiment,
      'brightness/config.ts': config,
      'brightness/stage.ts': stage,
      'tsconfig.json': JSON.stringify(tsconfig),
    });
    project.remove('node_modules');
    const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    await run('npm', [...install, clone.file(tarball), 'zod'], { cwd: project.dir });

    const peco = async (...args: string[]) => {
      const { stdout } = await run(project.file('node_modules/.bin/peco-exp'), args, { cwd: project.dir });
      return stdout;
    };
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
    const tsc = path.join(repository, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', project.dir], { cwd: project.dir });
    t.is(stdout, '');
  },
);
