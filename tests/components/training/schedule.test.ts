import test from 'ava';
import { cosine } from '../../../components/training/schedule.ts';

const at = (step: number) => cosine(1, 0.2, { step, steps: 110, warmup: 11 });

test('the warm-up is linear from 0 and reaches the peak, as in BEiT', (t) => {
  t.is(at(0), 0);
  t.is(at(5), 0.5);
  t.is(at(10), 1);
  t.is(at(11), 1);
});

test('half of the cosine is the mean of peak and minimum, the end is near the minimum', (t) => {
  t.true(Math.abs(at(11 + 99 / 2) - 0.6) < 1e-12);
  t.true(at(109) - 0.2 < 0.001);
});
