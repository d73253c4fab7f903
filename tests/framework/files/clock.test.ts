import test from 'ava';
import { type Clocks, openLags } from '../../../framework/files/clock.ts';

/** Two file systems: that of `/store`, `skew` milliseconds ahead of this machine, and that of `/data`. */
function lags(skew: number | undefined, local: readonly string[] = []): (place: string) => number {
  const clocks: Clocks = {
    now: () => 1_000_000,
    clockOf: () => (skew === undefined ? undefined : 1_000_000 + skew),
    deviceOf: (place) => (place.startsWith('/store') ? 1 : 2),
    isLocal: (place) => local.some((start) => place.startsWith(start)),
  };
  return openLags('/store/cache', clocks);
}

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
  t.is(lags(-3, ['/store', '/data'])('/data/a'), 3, 'the ticks of one are those of the others');
});
