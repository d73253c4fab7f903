import fs from 'node:fs';
import os from 'node:os';
import test from 'ava';
import { reserveEvents } from '../../framework/cli/event-files.ts';
import { isCurve, loggedPoints } from '../support/curves.ts';
import { createRig, isAlive, normalise, type Rig, until } from '../support/rig.ts';

/** The table of a run that was not disturbed, in another store. */
async function undisturbed(rig: Rig): Promise<string> {
  await rig.peco('run', 'experiment.ts', '--store', 'other-store', '--out', 'other-results');
  rig.forget();
  return rig.read('other-results/rig/ablation.md');
}

function temporaries(rig: Rig): string[] {
  return fs.readdirSync(rig.file('.peco/tmp')).filter((name) => name.startsWith('out-'));
}

test('Ctrl-C stops the stages; the next run goes on from those that had finished', async (t) => {
  const rig = createRig(t);
  const table = await undisturbed(rig);
  rig.command('mim-beit-0', 'wait');
  const run = rig.start('run', 'experiment.ts', '--jobs', '1');
  await rig.reached('mim-beit-0');
  run.process.kill('SIGINT');
  const { code, stdout } = await run.done;
  t.is(code, 130);
  t.snapshot(normalise(stdout, rig));
  t.is(rig.entries().length, 2, 'both tokenizers');
  t.deepEqual(temporaries(rig), []);
  t.false(fs.existsSync(rig.file('results')));

  rig.takeRan();
  rig.release('mim-beit-0');
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.deepEqual(rig.takeRan(), [
    'eval-beit-0',
    'eval-peco-0',
    'mim-beit-0',
    'mim-peco-0',
    'probe-beit-0',
    'probe-peco-0',
    'report',
  ]);
  t.is(rig.read('results/rig/ablation.md'), table);
});

test('a second Ctrl-C kills a stage that does not listen', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait deaf');
  const run = rig.start('run', 'experiment.ts', '--jobs', '1');
  const pid = await rig.reached('beit-0');
  // Again and again, since a second signal right after the first counts as the same key press.
  await until(() => {
    if (!run.stdout().includes('killing')) run.process.kill('SIGINT');
    return run.stdout().includes('killing');
  });
  t.is((await run.done).code, 130);
  t.false(isAlive(pid));
  t.deepEqual(rig.entries(), []);
});

test('after kill -9 of a run its stages end, nothing half-written counts, and the next run goes on, curves too', async (t) => {
  const rig = createRig(t);
  const table = await undisturbed(rig);
  rig.command('peco-0', 'wait deaf');
  const events = ['--tensorboard', 'events'];
  const run = rig.start('run', 'experiment.ts', '--jobs', '1', ...events);
  const pid = await rig.reached('peco-0');
  const curve = rig.file('events/rig/tokenizer/peco/seed-0/events.out.tfevents.peco-exp');
  const logged = loggedPoints('tokenizer');
  await until(() => isCurve(curve, logged));
  const plan = { graph: { experiment: 'rig', changes: [] } };
  await t.throwsAsync(reserveEvents(rig.file('events'), plan as never), {
    message: `process ${run.process.pid} on ${os.hostname()} writes event files to ${rig.file('events/rig')}`,
  });
  run.process.kill('SIGKILL');
  t.is((await run.done).signal, 'SIGKILL');
  await until(() => !isAlive(pid));
  t.is(rig.entries().length, 1, 'the tokenizer of beit');

  // As if it had been killed while it wrote.
  fs.appendFileSync(curve, fs.readFileSync(curve).subarray(0, 30));
  rig.takeRan();
  rig.release('peco-0');
  const next = await rig.peco('run', 'experiment.ts', ...events);
  t.is(next.code, 0);
  t.false(rig.takeRan().includes('beit-0'));
  t.is(fs.readFileSync(curve, 'hex'), '');
  const results = [
    ['tokenizer result/another', 3, 0],
    ['tokenizer result/score', 3, 'peco-0'.length],
  ] as const;
  t.true(isCurve(`${curve}.000001`, [...logged, ...results]));
  t.deepEqual(fs.readdirSync(rig.file('events/rig')).sort(), [
    'downstream',
    'evaluation',
    'pretraining',
    'tokenizer',
  ]);
  t.is(rig.read('results/rig/ablation.md'), table);
});

test('after kill -9 of a stage the run goes on without it', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'wait deaf');
  const run = rig.start('run', 'experiment.ts', '--jobs', '1', '--retries', '0');
  process.kill(await rig.reached('peco-0'), 'SIGKILL');
  const { code, stdout } = await run.done;
  t.is(code, 1);
  t.true(stdout.includes('tokenizer/peco/seed-0  FAILED: its process was killed (SIGKILL)'));
  t.true(rig.takeRan().includes('probe-beit-0'));
});

test('a stage that another process asked to stop has failed', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'wait');
  const run = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/peco');
  process.kill(await rig.reached('peco-0'), 'SIGTERM');
  const { code, stdout } = await run.done;
  t.is(code, 1);
  t.true(stdout.includes('tokenizer/peco/seed-0  FAILED: its process was asked to stop (SIGTERM)'));
});
