import test from 'ava';
import { createRig, until } from './support/rig.ts';

test('two runs at once on one store share the stages', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait deaf');
  const first = rig.start('run', 'experiment.ts', '--jobs', '1', '--out', 'first');
  await rig.reached('beit-0');
  const second = rig.start('run', 'experiment.ts', '--jobs', '1', '--out', 'second');
  await until(() => second.stdout().includes('tokenizer/beit  another run is making it'));
  // With one job only: waiting costs no place, so it makes the other tokenizer meanwhile.
  await until(() => second.stdout().includes('tokenizer/peco  done'));
  rig.release('beit-0');
  const outcomes = await Promise.all([first.done, second.done]);
  t.deepEqual(
    outcomes.map(({ code }) => code),
    [0, 0],
  );
  const ran = rig.takeRan();
  t.deepEqual(ran, [...new Set(ran)], 'every stage ran once');
  t.is(ran.length, 9);
  t.true(outcomes[1]!.stdout.includes('tokenizer/beit  made by another run'));
  t.is(rig.read('first/rig/ablation.md'), rig.read('second/rig/ablation.md'));
});

test('a run that waits for another can be interrupted', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait deaf');
  const first = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/beit');
  await rig.reached('beit-0');
  const second = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/beit');
  await until(() => second.stdout().includes('another run is making it'));
  second.process.kill('SIGINT');
  t.is((await second.done).code, 130);
  rig.release('beit-0');
  t.is((await first.done).code, 0);
});

test('a run takes over from another that was killed', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait deaf');
  const first = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/beit');
  await rig.reached('beit-0');
  const second = rig.start('run', 'experiment.ts', '--upto', 'tokenizer/beit');
  await until(() => second.stdout().includes('another run is making it'));
  first.process.kill('SIGKILL');
  await first.done;
  await rig.reached('beit-0');
  rig.release('beit-0');
  const { code, stdout } = await second.done;
  t.is(code, 0);
  t.true(stdout.includes('tokenizer/beit  done'));
  t.is(rig.entries().length, 1);
});
