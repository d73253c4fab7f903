import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { loadExperiment } from '../../framework/experiment/load.ts';
import { resolveGraph } from '../../framework/plan/graph.ts';
import { createProject, repository } from '../support/project.ts';

const run = promisify(execFile);
const script = path.join(repository, 'bin/peco-exp.js');
const makeImages = ['--import=tsx', path.join(repository, 'docs/examples/make-images.ts')];

/** By name, the number of rows of the table: of the quickstart's five, a sweep makes several. */
const rows: { readonly [name: string]: number } = {
  'combined.ts': 4 + 12,
  'longer.ts': 5,
  'my-question.ts': 2,
  'own-tokenizer.ts': 2,
  'sizes.ts': 4 + 6,
};

for (const [name, count] of Object.entries(rows)) {
  test(`the example ${name} is a valid experiment`, async (t) => {
    const loaded = await loadExperiment(`docs/examples/${name}`, { cwd: repository });
    t.is(resolveGraph(loaded.experiment, loaded.changes).variants.length, count);
  });
}

test('every example is tested', (t) => {
  const examples = fs
    .readdirSync(path.join(repository, 'docs/examples'))
    .filter((name) => name.endsWith('.ts'));
  t.deepEqual(examples.sort(), [...Object.keys(rows), 'make-images.ts', 'your-own.ts'].sort());
});

test("components of one's own run, from the images to the table", async (t) => {
  t.timeout(600_000);
  const project = createProject(t, {});
  await run(process.execPath, [...makeImages, project.dir]);
  const { stdout } = await run(
    process.execPath,
    [
      ...[script, 'run', 'docs/examples/your-own.ts'],
      ...['--store', project.file('store'), '--out', project.file('results')],
    ],
    { cwd: repository, env: { ...process.env, IMAGES: project.dir } },
  );
  t.regex(stdout, /0 stored, 9 ran/);
  const table = project.read('results/your-own/ablation.tex').trim().split('\n');
  t.is(table[2], 'variant & nearest top1 & psnr \\\\');
  for (const [row, name] of ['patches', 'edges'].entries())
    t.regex(table[4 + row]!, new RegExp(`^${name} & [01]\\.\\d{3} & \\d+\\.\\d{3} \\\\\\\\$`));
  // Stripes are made of few patches: sixteen codes keep nearly all of an image.
  t.true(Number(table[4]!.split(' & ')[2]!.split(' ')[0]) > 25);
});
