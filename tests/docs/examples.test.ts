import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { createProject, repository } from '../framework/support/project.ts';

const run = promisify(execFile);
const script = path.join(repository, 'bin/peco-exp.js');
const images = ['--import=tsx', path.join(repository, 'docs/examples/make-images.ts')];
const examples = fs
  .readdirSync(path.join(repository, 'docs/examples'))
  .filter((name) => name.endsWith('.ts'));

for (const name of examples.filter((file) => file !== 'make-images.ts')) {
  test(`the example ${name} can be planned`, async (t) => {
    const project = createProject(t, {});
    await run(process.execPath, [...images, project.dir]);
    const { stdout } = await run(
      process.execPath,
      [script, 'plan', `docs/examples/${name}`, '--store', project.file('store'), '--json'],
      { cwd: repository, env: { ...process.env, IMAGES: project.dir }, maxBuffer: 1e8 },
    );
    const { stages } = JSON.parse(stdout) as { readonly stages: readonly unknown[] };
    t.true(stages.length > 5);
  });
}

test("components of one's own run, from the images to the table", async (t) => {
  t.timeout(600_000);
  const project = createProject(t, {});
  await run(process.execPath, [...images, project.dir]);
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
  t.regex(table[4]!, /^patches & [01]\.\d{3} & \d+\.\d{3} \\\\$/);
  t.regex(table[5]!, /^edges & [01]\.\d{3} & \d+\.\d{3} \\\\$/);
  // Stripes are made of few patches: sixteen codes keep nearly all of an image.
  t.true(Number(table[4]!.split(' & ')[2]!.split(' ')[0]) > 25);
});
