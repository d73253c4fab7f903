import test from 'ava';
import { drawBeta } from '../../../components/nn/beta.ts';
import { random } from '../../../components/nn/random.ts';

// Parameters; mean and variance by their formulas; the share below 0.1 of 4 million draws of numpy.
const cases = [
  [0.8, 0.8, 0.5, 0.09615, 0.1319],
  [1, 1, 0.5, 1 / 12, 0.1],
  [2, 5, 2 / 7, 0.02551, 0.1143],
  [0.1, 0.1, 0.5, 0.20833, 0.4066],
] as const;

for (const [a, b, mean, variance, below] of cases) {
  test(`Beta(${a}, ${b}): mean, variance and the share below 0.1`, (t) => {
    const stream = random(0, 'beta', a, b);
    const drawn = Array.from({ length: 20_000 }, () => drawBeta(stream, a, b));
    const average = (values: readonly number[]) =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    t.true(Math.abs(average(drawn) - mean) < 0.015);
    t.true(Math.abs(average(drawn.map((value) => (value - mean) ** 2)) - variance) < 0.003);
    t.true(Math.abs(drawn.filter((value) => value < 0.1).length / drawn.length - below) < 0.015);
    t.true(drawn.every((value) => value >= 0 && value <= 1));
  });
}

test('numbers too small for a float leave no number that is none', (t) => {
  const stream = random(1);
  for (let draw = 0; draw < 200; draw++) t.true(Number.isFinite(drawBeta(stream, 1e-4, 1e-4)));
});
