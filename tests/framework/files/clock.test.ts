import test from 'ava';
import { type Clocks, openLags } from '../../../framework/files/clock.ts';

/** Two file systems: that of `/store`, `skew` milliseconds ahead of this machine, and that of `/data`. */
function lags(
  skew: number | undefined,
  local: readonly string[] | null = [],
  pauses: readonly number[] = [],
): (place: string) => number {
  let time = 1_000_000;
  const left = [...pauses];
  const clocks: Clocks = {
    now: () => time,
    clockOf: () => {
      const read = skew === undefined ? undefined : time + skew;
      time += left.shift() ?? 0;
      return read;
    },
    deviceOf: (place) => (place.startsWith('/store') ? 1 : 2),
    isLocal: (place) => local?.some((start) => place.startsWith(start)),
  };
  return openLags('/store/cache', clocks);
}

const unknown = (skew: number | undefined) => lags(skew, null);

test('what a clock is behind is read off a file that is written on its file system', (t) => {
  t.is(lags(-10_000)('/store/a'), 10_000);
  t.is(lags(10_000)('/store/a'), 0, 'one that is ahead makes files look younger, which only costs time');
});

test('of a file system of other machines that is not ours to write, clocks may differ as they may in a cluster', (t) => {
  t.is(lags(-10_000)('/data/a'), 300_000);
  t.is(lags(undefined)('/store/a'), 300_000, 'read-only');
});

test('file systems of this machine have its clock', (t) => {
  t.is(lags(-10_000, ['/data'])('/data/a'), 0);
  t.is(lags(undefined, ['/store'])('/store/a'), 0);
  t.is(lags(0, ['/store'], [1_000, 1_000, 1_000])('/store/a'), 0);
});

test('where the system does not say whose clock it is, all have that of the folder of ours', (t) => {
  t.is(unknown(-10_000)('/data/a'), 10_000);
  t.is(unknown(undefined)('/data/a'), 0);
});

test('a process that is stopped while it reads a clock reads it again', (t) => {
  t.is(lags(-10, [], [1_000, 300, 2])('/store/a'), 12);
  t.is(lags(-10, [], [1_000, 300, 400])('/store/a'), 310, 'three times at most');
});
