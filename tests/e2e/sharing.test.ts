import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { readHolder } from '../../framework/store/lock.ts';
import { createRig, type Rig, until } from '../support/rig.ts';

test('two runs at once on one store share the stages', async (t) => {
  const rig = createRig(t);
  rig.command('beit-0', 'wait deaf');
  const first = rig.start('run', 'experiment.ts', '--jobs', '1', '--out', 'first');
  await rig.reached('beit-0');
  const second = rig.start('run', 'experiment.ts', '--jobs', '1', '--out', 'second');
  await until(() => second.stdout().includes('tokenizer/beit/seed-0  another run is making it'));
  // With one job only: waiting costs no place, so it makes the other tokenizer meanwhile.
  await until(() => second.stdout().includes('tokenizer/peco/seed-0  done'));
  rig.release('beit-0');
  const outcomes = await Promise.all([first.done, second.done]);
  t.deepEqual(
    outcomes.map(({ code }) => code),
    [0, 0],
  );
  const ran = rig.takeRan();
  t.deepEqual(ran, [...new Set(ran)], 'every stage ran once');
  t.is(ran.length, 9);
  t.true(outcomes[1]!.stdout.includes('tokenizer/beit/seed-0  made by another run'));
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
  t.true(stdout.includes('tokenizer/beit/seed-0  done'));
  t.is(rig.entries().length, 1);
});

const fourTokenizers = `
import { defineExperiment } from 'peco-exp';
import { data, downstream, pretraining, report, tokenizer } from './parts/config.ts';

export default defineExperiment({
  name: 'four',
  seeds: [0],
  data: { train: data({ name: 'train' }), test: data({ name: 'test' }) },
  tokenizers: {
    beit: tokenizer({ name: 'beit' }),
    peco: tokenizer({ name: 'peco', weight: 2 }),
    third: tokenizer({ name: 'third' }),
    fourth: tokenizer({ name: 'fourth' }),
  },
  pretraining: { base: pretraining({ name: 'mim' }) },
  downstream: { probe: downstream({ name: 'probe' }) },
  baseline: 'beit',
  report: report({}),
});
`;

/** Processes that hold locks of stages. */
function holders(rig: Rig): (number | undefined)[] {
  const folder = rig.file('.peco/locks');
  const keys = fs.readdirSync(folder).filter((name) => /^[0-9a-f]+\.lock$/.test(name));
  return keys.map((name) => readHolder(path.join(folder, name))?.pid);
}

test('runs that wait for each other with all their places taken end, also when one is killed', async (t) => {
  const rig = createRig(t, { 'four.ts': fourTokenizers });
  const tokenizers = ['beit-0', 'peco-0', 'third-0', 'fourth-0'];
  for (const stage of tokenizers) rig.command(stage, 'wait deaf');
  // The first holds the locks of beit and peco, and has no place left.
  const first = rig.start('run', 'experiment.ts', '--jobs', '2');
  await Promise.all([rig.reached('beit-0'), rig.reached('peco-0')]);
  // The second waits for those two and fills its places with the others.
  const four = ['run', 'four.ts', '--jobs', '2'];
  for (const row of ['beit', 'peco', 'third', 'fourth']) four.push('--upto', `tokenizer/${row}`);
  const second = rig.start(...four);
  await Promise.all([rig.reached('third-0'), rig.reached('fourth-0')]);
  const waits = (run: typeof first) => run.stdout().split('another run is making it').length - 1;
  await until(() => waits(second) === 2);
  first.process.kill('SIGKILL');
  await first.done;
  // The second takes over: it holds all four locks, two of them without a place, and the third waits for all of them.
  await until(() => holders(rig).filter((pid) => pid === second.process.pid).length === 4);
  const third = rig.start(...four);
  await until(() => waits(third) === 4);
  for (const stage of tokenizers) rig.release(stage);
  const outcomes = await Promise.all([second.done, third.done]);
  t.deepEqual(
    outcomes.map(({ code }) => code),
    [0, 0],
  );
  const ran = rig.takeRan();
  const times = (stage: string) => ran.filter((label) => label === stage).length;
  t.deepEqual(tokenizers.map(times), [2, 2, 1, 1], 'those of the killed run once more, nothing else twice');
  t.is(new Set(ran).size, ran.length - 2);
});
