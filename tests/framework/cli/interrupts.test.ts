import test from 'ava';
import { listenForInterrupts } from '../../../framework/cli/interrupts.ts';
import type { RunEvent } from '../../../framework/run/record/events.ts';
import { ask } from '../../support/ask.ts';
import { repository } from '../../support/project.ts';

test('one key press that arrives twice, as under npx, stops; only a later one kills', (t) => {
  let clock = 1000;
  const events: RunEvent[] = [];
  const interrupts = listenForInterrupts(() => clock);
  interrupts.begin((event) => events.push(event));
  process.emit('SIGINT');
  clock += 20;
  process.emit('SIGINT');
  t.true(interrupts.stop.aborted);
  t.false(interrupts.kill.aborted);
  clock += 1000;
  process.emit('SIGINT');
  t.true(interrupts.kill.aborted);
  t.deepEqual(events, [
    { type: 'run-interrupted', kill: false },
    { type: 'run-interrupted', kill: true },
  ]);
  interrupts.end();
});

test('a full disk below stdout stops no run', (t) => {
  const interrupts = listenForInterrupts();
  interrupts.begin(({ type }) => t.fail(type));
  process.stdout.emit('error', Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  t.false(interrupts.stop.aborted);
  interrupts.end();
});

test.serial('a full disk below stdout is said once, and shows in the exit code', async (t) => {
  const answer = ask({ dir: repository }, '--version');
  for (let i = 0; i < 2; i++)
    process.stdout.emit('error', Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  const { code, stderr } = await answer;
  process.exitCode = undefined;
  t.is(code, 1);
  t.is(
    stderr,
    "what this command prints can't be written: no space left\n  free some space, or send it elsewhere\n",
  );
});

test('a closed terminal, however often the signal comes, stops and never kills', (t) => {
  let clock = 1000;
  const events: RunEvent[] = [];
  const interrupts = listenForInterrupts(() => clock);
  interrupts.begin((event) => events.push(event));
  for (const listener of [
    () => process.emit('SIGHUP'),
    () => process.stdout.emit('error', Object.assign(new Error('EIO'), { code: 'EIO' })),
    () => process.stdout.emit('error', Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    () => process.emit('SIGHUP'),
  ]) {
    listener();
    clock += 1000;
  }
  t.true(interrupts.stop.aborted);
  t.false(interrupts.kill.aborted);
  t.deepEqual(events, [{ type: 'run-interrupted', kill: false }]);
  interrupts.end();
});
