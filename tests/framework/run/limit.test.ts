import test from 'ava';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../framework/stage/duration.ts';

test('a time limit is a number and a unit', (t) => {
  const seconds = {
    '90s': 90,
    '10m': 600,
    '2h': 7200,
    '1.5h': 5400,
    '0.5s': 0.5,
    ' 3m ': 180,
    '500h': 1_800_000,
  };
  for (const [text, expected] of Object.entries(seconds)) t.is(parseDuration(text), expected, text);
  for (const text of ['', '10', '10 m', '1h30m', '-5s', '0s', '501h', 'none', 's', '1e3s', '2d'])
    t.is(parseDuration(text), undefined, text);
});

test('it is shown in the largest unit that fits', (t) => {
  t.deepEqual([7200, 600, 90, 5400, 0.5, 86_400].map(formatDuration), [
    '2h',
    '10m',
    '90s',
    '90m',
    '0.5s',
    '24h',
  ]);
});

test('what is shown can be given again', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_800_000 }),
      (seconds) => parseDuration(formatDuration(seconds)) === seconds,
    ),
  );
  t.pass();
});
