import test from 'ava';
import { outputOf } from '../../../framework/files/programs.ts';

test('what a program printed is never taken for nothing, however long this process stood still', async (t) => {
  const still = new Int32Array(new SharedArrayBuffer(4));
  for (const _ of [1, 2, 3]) {
    const answer = outputOf('echo', ['hi'], { patience: 40, most: 100 });
    setImmediate(() => Atomics.wait(still, 0, 0, 120));
    t.regex(await answer.catch(({ code }) => code), /^(hi\n|ABORT_ERR)$/);
  }
});

test('a program that does not answer in time is ended, and its error says so', async (t) => {
  await t.throwsAsync(outputOf('sleep', ['100'], { patience: 10, most: 100 }), { code: 'ABORT_ERR' });
});
