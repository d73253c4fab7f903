import test from 'ava';
import { createRig } from './support/rig.ts';

test('a first run', async (t) => {
  const rig = createRig(t);
  const first = await rig.peco('run', 'experiment.ts');
  t.log(first.stdout, first.stderr, first.code);
  t.log(rig.takeRan());
  const second = await rig.peco('run', 'experiment.ts');
  t.log(second.stdout, second.stderr);
  t.log(rig.takeRan());
  t.log((await rig.peco('plan', 'experiment.ts', '--set', 'tokenizers.peco.weight=3')).stdout);
  t.pass();
});
