import test from 'ava';
import { random } from '../../../components/nn/random.ts';

test('a stream depends on seed and path alone, and different paths differ', (t) => {
  const draw = (...path: [number, ...(string | number)[]]) => {
    const stream = random(...path);
    return Array.from({ length: 5 }, () => stream.uniform());
  };
  t.deepEqual(draw(1, 'mask', 3), draw(1, 'mask', 3));
  t.notDeepEqual(draw(1, 'mask', 3), draw(1, 'mask', 4));
  t.notDeepEqual(draw(1, 'mask', 3), draw(2, 'mask', 3));
});

test('uniform and normal numbers have the moments of their distributions', (t) => {
  const stream = random(7, 'moments');
  const count = 20_000;
  const uniforms = Array.from({ length: count }, () => stream.uniform());
  const normals = Array.from({ length: count }, () => stream.normal());
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / count;
  // Four standard errors.
  t.true(Math.abs(mean(uniforms) - 0.5) < 4 / Math.sqrt(12 * count));
  t.true(Math.abs(mean(normals)) < 4 / Math.sqrt(count));
  t.true(Math.abs(mean(normals.map((value) => value ** 2)) - 1) < 4 * Math.sqrt(2 / count));
});

test('a permutation has every index once', (t) => {
  const order = random(3, 'order').permutation(100);
  t.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  );
});
