import test from 'ava';
import { cosineLearningRate } from '../../../components/training/schedule.ts';

const options = { learningRate: 1, steps: 110, warmupSteps: 11, minLearningRate: 0.2 };

test('the warm-up is linear from 0 and reaches the peak, as in BEiT', (t) => {
  t.is(cosineLearningRate(0, options), 0);
  t.is(cosineLearningRate(5, options), 0.5);
  t.is(cosineLearningRate(10, options), 1);
  t.is(cosineLearningRate(11, options), 1);
});

test('half of the cosine is the mean of peak and minimum, the end is near the minimum', (t) => {
  t.true(Math.abs(cosineLearningRate(11 + 99 / 2, options) - 0.6) < 1e-12);
  t.true(cosineLearningRate(109, options) - 0.2 < 0.001);
});
