import test from 'ava';
import { listenForInterrupts } from '../../../framework/cli/interrupts.ts';
import type { RunEvent } from '../../../framework/run/record/events.ts';

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
