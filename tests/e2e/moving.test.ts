import fs from 'node:fs';
import test from 'ava';
import { createRig } from '../support/rig.ts';

test('a stage that goes on with another engine says so: on the terminal, in its result and in the timing', async (t) => {
  const rig = createRig(t);
  // A training of three steps that saves the second.
  rig.edit(
    'parts/stage.ts',
    'for (let step = 1; step <= steps; step++) {',
    `const from = await context.checkpoints.latest();
  for (let step = (from?.step ?? 0) + 1; step <= steps; step++) {
    if (step === 3 && !from)
      await context.checkpoints.save(2, (dir) => fs.writeFileSync(path.join(dir, 'state'), 'two steps'));`,
  );
  const run = (...flags: string[]) =>
    rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco', '--store', 'store', ...flags);
  rig.command('peco-0', 'throw');
  t.is((await run()).code, 1);
  rig.release('peco-0');

  const { code, stdout } = await run('--engine', 'tensorflow:bf16');
  t.is(code, 0);
  t.true(
    stdout.includes(
      'warning: tokenizer/peco/seed-0: resumes at step 2, computed by onnx, with tensorflow:bf16: its results will say so\n',
    ),
    stdout,
  );
  const [key] = fs.readdirSync(rig.file('store/entries'));
  const entry = `store/entries/${key}`;
  const { provenance } = JSON.parse(rig.read(`${entry}/manifest.json`));
  t.is(provenance.resumedFrom, 2);
  t.is(provenance.engine, 'onnx, from step 2 tensorflow:bf16');
  t.deepEqual(provenance.engines, [
    { engine: 'onnx', from: 0 },
    { engine: 'tensorflow:bf16', from: 2 },
  ]);
  t.is(JSON.parse(rig.read(`${entry}/outputs/metrics.json`)).engine, 'onnx, from step 2 tensorflow:bf16');
  const shown = await rig.peco('show', key!, '--store', 'store');
  t.true(shown.stdout.includes('  engine   onnx, from step 2 tensorflow:bf16, '), shown.stdout);
});
