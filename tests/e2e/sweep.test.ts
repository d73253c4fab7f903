import test from 'ava';
import { createRig, normalise } from './support/rig.ts';

test('--sweep runs a row a value, shares the rest, and leaves what was there before alone', async (t) => {
  const rig = createRig(t);
  await rig.peco('run', 'experiment.ts');
  rig.takeRan();
  const sweep = ['--sweep', 'tokenizers.peco.weight=2,3,4'];
  const { code, stdout } = await rig.peco('run', 'experiment.ts', ...sweep);
  t.is(code, 0, stdout);
  // Weight 2 is what the file says; each of the others has its tokenizer, evaluation, pretraining and probe.
  const own = ['eval-peco-0', 'mim-peco-0', 'peco-0', 'probe-peco-0'];
  t.deepEqual(rig.takeRan(), [...own, ...own, 'report'].sort());
  for (const row of ['beit', 'peco@weight=2', 'peco@weight=3', 'peco@weight=4'])
    t.true(stdout.includes(`| ${row} |`), row);
  t.is((await rig.peco('run', 'experiment.ts', ...sweep)).code, 0);
  t.deepEqual(rig.takeRan(), []);
});

test('a wrong sweep ends with code 2 before anything runs', async (t) => {
  const rig = createRig(t);
  const sweep = ['--sweep', 'tokenizers.peco.weight=1,heavy', '--sweep', 'tokenizers.peco.wieght=1'];
  const { code, stderr } = await rig.peco('run', 'experiment.ts', ...sweep);
  t.is(code, 2);
  t.snapshot(normalise(stderr, rig));
  t.deepEqual(rig.takeRan(), []);
});
