import test from 'ava';
import { createRig, isAlive, normalise, until } from '../support/rig.ts';

test('a stage whose process was killed is started again, and its result says so', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'wait deaf');
  const run = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/peco');
  process.kill(await rig.reached('peco-0'), 'SIGKILL');
  await rig.reached('peco-0');
  rig.release('peco-0');
  const { code, stdout } = await run.done;
  t.is(code, 0);
  t.snapshot(normalise(stdout, rig));
  t.deepEqual(rig.takeRan(), ['peco-0', 'peco-0']);
  const manifest = JSON.parse(rig.read(`.peco/entries/${rig.entries()[0]}/manifest.json`));
  t.is(manifest.provenance.attempts, 2);
  const history = rig.read(`.peco/entries/${rig.entries()[0]}/outputs/metrics.jsonl`).trim().split('\n');
  t.is(history.length, 3, 'that of the second process only');
});

test('Ctrl-C ends a stage that was started again, whatever retries and limits are left', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'wait');
  const run = rig.start(
    ...[
      'run',
      'experiment.ts',
      '--upto',
      'tokenizer/peco',
      '--retries',
      '5',
      '--timeout',
      '5h',
      '--fail-fast',
    ],
  );
  process.kill(await rig.reached('peco-0'), 'SIGKILL');
  const pid = await rig.reached('peco-0');
  run.process.kill('SIGINT');
  const { code, stdout } = await run.done;
  t.is(code, 130);
  t.false(isAlive(pid));
  t.is(stdout.split('starting it again').length, 2);
  t.deepEqual(rig.entries(), []);
});

test('SIGTERM stops a run as Ctrl-C does', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait');
  const run = rig.start('run', 'experiment.ts', '--jobs', '1');
  const pid = await rig.reached('beit-0');
  run.process.kill('SIGTERM');
  const { code, signal, stdout } = await run.done;
  t.deepEqual([code, signal], [130, null]);
  t.false(isAlive(pid));
  t.true(stdout.includes('tokenizer/beit/seed-0  interrupted'), stdout);
  t.true(stdout.includes('interrupted in'), stdout);
});

test('a closed terminal stops a run as SIGTERM does', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait');
  const run = rig.start('run', 'experiment.ts', '--jobs', '1');
  const pid = await rig.reached('beit-0');
  // The system tells the whole process group.
  for (const each of [pid, run.process.pid!]) process.kill(each, 'SIGHUP');
  const { code, signal, stdout } = await run.done;
  t.deepEqual([code, signal], [130, null]);
  t.false(isAlive(pid));
  t.true(stdout.includes('tokenizer/beit/seed-0  interrupted'), stdout);
  t.true(stdout.includes('interrupted in'), stdout);
});

test('a stage that takes longer than the limit is stopped and has failed', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'wait');
  const { code, stdout } = await rig.peco(
    'run',
    'experiment.ts',
    '--jobs',
    '1',
    '--upto',
    'tokenizer/peco',
    '--timeout',
    '1s',
  );
  t.is(code, 1);
  t.snapshot(normalise(stdout, rig));
  t.deepEqual(rig.entries(), []);
});

test('with --fail-fast a failure stops the stages that run, and nothing else starts', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait');
  rig.command('peco-0', 'throw');
  const run = rig.start('run', 'experiment.ts', '--jobs', '2', '--fail-fast');
  const { code, stdout } = await run.done;
  t.is(code, 1);
  const ends = stdout.split('\n').filter((line) => !line.includes('started'));
  t.snapshot(normalise(ends.join('\n'), rig));
  t.deepEqual(rig.entries(), []);
  t.deepEqual(
    rig.takeRan().filter((label) => !label.startsWith('beit')),
    ['peco-0'],
  );
});

test('Ctrl-C while --fail-fast waits for a stage that does not listen', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait deaf');
  rig.command('peco-0', 'wait deaf');
  const run = rig.start('run', 'experiment.ts', '--jobs', '2', '--fail-fast', '--retries', '0');
  const deaf = await rig.reached('beit-0');
  process.kill(await rig.reached('peco-0'), 'SIGKILL');
  await until(() => run.stdout().includes('stopping, because tokenizer/peco/seed-0 failed'));
  await until(() => {
    if (!run.stdout().includes('killing')) run.process.kill('SIGINT');
    return run.stdout().includes('killing');
  });
  t.is((await run.done).code, 130);
  t.false(isAlive(deaf));
});
