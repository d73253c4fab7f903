import test from 'ava';
import { openAhead, takingTurns } from '../../../components/data/ahead.ts';

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

test('a step is given once the next one has been handed out, which takes turns of this thread', async (t) => {
  const handed: number[] = [];
  const turns = async (many: number) => {
    for (let turn = 0; turn < many; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const make = async (step: number, _: AbortSignal, handedOut: () => void) => {
    await turns(5);
    if (step === 3) throw new Error('broken');
    handed.push(step);
    handedOut();
    await turns(5);
    return 10 * step;
  };
  const ahead = openAhead(make, { ahead: 2, end: 4, handsOut: true });
  t.is(await ahead.get(0), 0);
  t.deepEqual(handed, [0, 1]);
  t.is(await ahead.get(1), 10);
  t.deepEqual(handed, [0, 1, 2]);
  // One that fails is not waited for, until it is asked for.
  t.is(await ahead.get(2), 20);
  await t.throwsAsync(ahead.get(3), { message: 'broken' });
  await ahead.close();
  // Else a step is given as soon as it is there.
  handed.length = 0;
  const hasty = openAhead(make, { ahead: 2, end: 3 });
  await hasty.get(0);
  t.deepEqual(handed, [0]);
  await hasty.close();
});
