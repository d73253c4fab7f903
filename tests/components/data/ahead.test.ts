import test from 'ava';
import { takingTurns } from '../../../components/data/ahead.ts';

test('at most so many work at once, first come first served, and one that fails makes room', async (t) => {
  const inTurn = takingTurns(2);
  const begun: number[] = [];
  const ends: ((failure?: Error) => void)[] = [];
  const work = (name: number) =>
    inTurn(() => {
      begun.push(name);
      return new Promise<number>((resolve, reject) => {
        ends[name] = (failure) => (failure ? reject(failure) : resolve(10 * name));
      });
    });
  const settled = async () => {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    return [...begun];
  };
  const all = [0, 1, 2, 3, 4].map(work);
  t.deepEqual(await settled(), [0, 1]);
  ends[1]!();
  t.is(await all[1], 10);
  t.deepEqual(await settled(), [0, 1, 2]);
  ends[2]!(new Error('broken'));
  await t.throwsAsync(all[2]!, { message: 'broken' });
  t.deepEqual(await settled(), [0, 1, 2, 3]);
  ends[0]!();
  ends[3]!();
  t.deepEqual(await Promise.all([all[0], all[3]]), [0, 30]);
  t.deepEqual(await settled(), [0, 1, 2, 3, 4]);
  ends[4]!();
  // All are free again.
  await all[4];
  const again = [5, 6].map(work);
  t.deepEqual(await settled(), [0, 1, 2, 3, 4, 5, 6]);
  for (const name of [5, 6]) ends[name]!();
  await Promise.all(again);
});
