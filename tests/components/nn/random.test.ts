import test from 'ava';
import { philox, random } from '../../../components/nn/random.ts';

// kat_vectors of Random123, philox4x32 with 10 rounds: counter, key, answer.
const ones = 0xffffffff;
for (const { counter, key, answer } of [
  { counter: [0, 0, 0, 0], key: [0, 0], answer: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [ones, ones, ones, ones],
    key: [ones, ones],
    answer: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    answer: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
] as const) {
  test(`philox gives the known answer of Random123 for the counter ${counter[0].toString(16)}...`, (t) => {
    const out = new Uint32Array(4);
    philox(counter, key[0], key[1], out);
    t.deepEqual([...out], [...answer]);
  });
}

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
