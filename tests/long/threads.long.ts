import test from 'ava';
import { mim } from '../components/engine/steps/support/mim.ts';
import { dvaeTraining, vqvaeTraining } from '../components/engine/steps/support/tokenizers.ts';
import type { Tensors, Training } from '../components/engine/steps/support/train.ts';
import { train } from '../components/engine/steps/support/train.ts';

/** 20 steps of a larger network: moments and codebooks too, which stages don't write. */
function sameBytes<S, B, O, C>(training: Training<S, B, O, C>): void {
  test(`${training.name}: the whole state after 20 steps is the same bytes on 1 to 4 threads, twice`, async (t) => {
    const first = await train({ threads: 1 }, training, [training.steps]);
    const bytes = (all: Tensors, path: string) => Buffer.from(all[path].data.buffer);
    for (const threads of [1, 2, 3, 4, 4, 3, 2, 1]) {
      const again = await train({ threads }, training, [training.steps]);
      t.deepEqual(again.out, first.out, `${threads} threads`);
      const [a, b] = [first.after[training.steps], again.after[training.steps]];
      t.deepEqual(
        Object.keys(a).filter((path) => !bytes(a, path).equals(bytes(b, path))),
        [],
        `${threads} threads`,
      );
    }
  });
}

sameBytes(mim('large').training);
sameBytes((await vqvaeTraining('large')).training);
sameBytes((await dvaeTraining('large')).training);
