import fs from 'node:fs';
import test from 'ava';
import { ask } from '../support/ask.ts';
import { createRig, normalise } from '../support/rig.ts';

test('when a stage fails the others go on, and the table says what is missing', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'print and throw');
  const { code, stdout, stderr } = await rig.peco('run', 'experiment.ts', '--jobs', '1');
  t.is(code, 1);
  t.is(stderr, '');
  t.snapshot(normalise(stdout, rig));
  t.deepEqual(rig.takeRan(), ['beit-0', 'eval-beit-0', 'mim-beit-0', 'peco-0', 'probe-beit-0', 'report']);
});

test('a process that ends without a word, or is killed, fails only its stage', async (t) => {
  const rig = createRig(t);
  rig.command('mim-peco-0', 'exit');
  rig.command('probe-beit-0', 'die');
  const { code, stdout } = await rig.peco('run', 'experiment.ts');
  t.is(code, 1);
  const failed = (stage: string, why: string) => t.true(stdout.includes(`${stage}  FAILED: ${why}`), stdout);
  failed('pretraining/peco/base/seed-0', 'its process ended without a result (exit code 3)');
  failed('downstream/beit/probe/seed-0', 'its process was killed (SIGKILL)');
  t.true(stdout.includes('| peco | probe | 0 | pretraining/peco/base/seed-0 failed |'));
  t.is(rig.entries().length, 6, 'both tokenizers and their evaluations, pretraining of beit; the report');
});

test('if nothing of the table could be made there is none', async (t) => {
  const rig = createRig(t);
  for (const stage of ['beit-0', 'peco-0']) rig.command(stage, 'throw');
  const { code, stdout } = await rig.peco('run', 'experiment.ts', '--jobs', '1');
  t.is(code, 1);
  t.snapshot(normalise(stdout, rig));
  t.false(fs.existsSync(rig.file('results')));
});

test('the stack is shown only with --verbose', async (t) => {
  const rig = createRig(t);
  rig.command('peco-0', 'print and throw');
  const args = ['run', 'experiment.ts', '--upto', 'tokenizer/peco'];
  const plain = await rig.peco(...args);
  t.notRegex(plain.stdout, /^\s+at obey /m);
  t.true(plain.stdout.includes('\n  at parts/obey.ts:20\n'), plain.stdout);
  const verbose = await rig.peco(...args, '--verbose');
  t.regex(verbose.stdout, /^\s+at obey /m);
  t.true(verbose.stdout.includes('tokenizer/peco/seed-0  | reading 10 images'));
});

test('a metric that is not a number fails the stage that returned it', async (t) => {
  const rig = createRig(t);
  rig.edit('parts/stage.ts', 'score: label.length', 'score: Math.log(-1)');
  const { stdout } = await rig.peco('run', 'experiment.ts', '--upto', 'tokenizer/peco');
  t.snapshot(normalise(stdout, rig));
  t.deepEqual(rig.entries(), []);
});

const usage: { readonly [name: string]: readonly string[] } = {
  'no command': [],
  'an unknown command': ['rum', 'experiment.ts'],
  'an unknown flag': ['run', 'experiment.ts', '--job', '2'],
  'no file': ['run'],
  'a file that does not exist': ['run', 'experimnt.ts'],
  'a folder': ['run', '.'],
  'a folder without experiments': ['run', 'parts'],
  'jobs that are no number': ['run', 'experiment.ts', '--jobs', 'many'],
  'seeds that are no numbers': ['run', 'experiment.ts', '--seeds', '0,one'],
  'retries that are no number': ['run', 'experiment.ts', '--retries', 'some'],
  'a time limit without a unit': ['run', 'experiment.ts', '--timeout', '10'],
  'an unknown engine': ['run', 'experiment.ts', '--engine', 'onxn'],
  'an unknown stage': ['run', 'experiment.ts', '--upto', 'tokenizer/peko'],
  'an unknown field': ['run', 'experiment.ts', '--set', 'tokenizers.peco.wieght=3'],
};

for (const [name, args] of Object.entries(usage)) {
  test.serial(`wrong usage: ${name}`, async (t) => {
    const rig = createRig(t);
    const { code, stdout, stderr } = await ask(rig, ...args);
    t.is(code, 2);
    t.is(stdout, '');
    t.snapshot(normalise(stderr, rig));
    t.deepEqual(rig.takeRan(), []);
    t.false(fs.existsSync(rig.file('.peco/entries')));
  });
}

test('a file that waits for what never comes, or loses a promise that is rejected, is refused in words', async (t) => {
  const rig = createRig(t);
  const text = rig.read('experiment.ts');
  rig.write({
    'waits.ts': `await new Promise(() => {});\n${text}`,
    'loses.ts': `Promise.reject(new Error('late'));\n${text}`,
  });
  const told = ['waits.ts', 'loses.ts'].map(async (file) => {
    const { code, stderr } = await rig.peco('plan', file);
    t.is(code, 2);
    return stderr;
  });
  t.deepEqual(await Promise.all(told), [
    "waits.ts can't be evaluated: it waits for what never comes\n",
    "loses.ts can't be evaluated: late\n  at loses.ts:1\n",
  ]);
});

test.serial('an experiment with a wrong field runs nothing', async (t) => {
  const rig = createRig(t);
  rig.edit('experiment.ts', 'weight: 2', 'weight: "much"');
  const { code, stderr } = await ask(rig, 'run', 'experiment.ts');
  t.is(code, 2);
  t.snapshot(normalise(stderr, rig));
  t.deepEqual(rig.takeRan(), []);
});

test('a results folder in a file system that makes no folders fails the run with a message, and the results stay stored', async (t) => {
  const rig = createRig(t);
  for (const out of ['/proc/x', '/proc/x/y']) {
    const { code, stdout, stderr } = await rig.peco('run', 'experiment.ts', '--jobs', '1', '--out', out);
    t.is(code, 1);
    t.is(stderr, '');
    const end = stdout.slice(stdout.indexOf('warning:'));
    t.snapshot(normalise(end, rig));
    t.is(rig.entries().length, 9);
  }
  t.is((await rig.peco('run', 'experiment.ts')).code, 0);
  t.is(rig.takeRan().length, 9);
});

test.serial(
  'a results folder that is a file, is below one or is a link which leads nowhere is refused; nothing runs',
  async (t) => {
    const rig = createRig(t);
    fs.symlinkSync('/nowhere/at/all', rig.file('nowhere'));
    const told: string[] = [];
    for (const out of ['package.json', 'package.json/results', 'nowhere']) {
      const { code, stderr } = await ask(rig, 'run', 'experiment.ts', '--out', out);
      t.is(code, 2);
      told.push(normalise(stderr, rig));
    }
    t.snapshot(told);
    t.deepEqual(rig.takeRan(), []);
  },
);
