import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { applyOperations } from '../../../../../components/data/views/randaugment/apply.ts';
import {
  type RandAugment,
  randAugmentSchema,
} from '../../../../../components/data/views/randaugment/config.ts';
import {
  amountOf,
  drawOperations,
  OPERATIONS,
  type OperationKind,
} from '../../../../../components/data/views/randaugment/draw.ts';
import { random } from '../../../../../components/nn/random.ts';
import { noise } from '../support.ts';

interface Case {
  readonly kind: OperationKind;
  readonly amount: number;
  readonly interpolation: RandAugment['interpolation'];
  readonly range: readonly [low: number, high: number];
  readonly sha256: string;
}

type Level = readonly [place: number, level: number, sign: 1 | -1, increasing: boolean, amount: number];

// Made by make.py beside it.
const file = new URL('../../../../fixtures/views/randaugment.json', import.meta.url);
const { operations, levels } = JSON.parse(readFileSync(file, 'utf8')) as {
  operations: readonly Case[];
  levels: readonly Level[];
};
const fill = [124, 116, 104] as const;

for (const { kind, amount, interpolation, range, sha256 } of operations) {
  const [low, high] = range;
  test(`${kind} ${amount}, ${interpolation}, of bytes from ${low} to ${high}: byte for byte as timm and Pillow`, (t) => {
    const made = applyOperations(noise({ low, high }), [{ kind, amount }], {
      fill: [...fill],
      interpolation,
    });
    t.deepEqual([made.height, made.width, made.channels], [24, 20, 3]);
    t.is(hash('sha256', made.bytes), sha256);
  });
}

test('levels mean what they mean in timm, whether changes grow with them or not', (t) => {
  for (const [place, level, sign, increasing, amount] of levels) {
    const kind = OPERATIONS[place]!;
    t.is(
      amountOf(kind, level, { sign, increasing }) + 0,
      amount + 0,
      `${kind} ${level} ${sign} ${increasing}`,
    );
  }
  t.is(levels.length, 2 * 15 * 5 * 2);
});

test("timm's words and the fields are the same", (t) => {
  const beit = {
    ...{ magnitude: 9, deviation: 0.5, layers: 2, probability: 0.5, increasing: true },
    ...{ fill: [124, 116, 104] as const, interpolation: 'bicubic' },
  };
  t.deepEqual(randAugmentSchema.parse('rand-m9-mstd0.5-inc1'), beit as RandAugment);
  t.deepEqual(randAugmentSchema.parse({}), beit as RandAugment);
  t.deepEqual(randAugmentSchema.parse(randAugmentSchema.parse('rand-m9-mstd0.5-inc1')), beit as RandAugment);
  // Where timm's words say nothing.
  t.like(randAugmentSchema.parse('rand'), { magnitude: 10, deviation: 0, layers: 2, increasing: false });
  t.like(randAugmentSchema.parse('rand-n3-p1-m7'), { magnitude: 7, layers: 3, probability: 1 });
  for (const wrong of ['rand-m11', 'rand-9', 'original-mstd0.5', 'rand-m9-w0', 'rand-n0', 'rand-p2', ''])
    t.false(randAugmentSchema.safeParse(wrong).success, wrong);
});

test('each change is drawn as often, half of them are made, and magnitudes are normal around 9, up to 10', (t) => {
  const config = randAugmentSchema.parse({ layers: 1 });
  const drawn = Array.from({ length: 15_000 }, (_, image) => drawOperations(config, random(0, image)));
  const made = drawn.flat();
  // 7500 made, standard deviation 61; 500 of each kind, standard deviation 22.
  t.true(Math.abs(made.length - 7500) < 250, String(made.length));
  for (const kind of OPERATIONS) {
    const count = made.filter((operation) => operation.kind === kind).length;
    t.true(Math.abs(count - 500) < 90, `${kind} ${count}`);
  }
  const levels = made.flatMap(({ kind, amount }) => (kind.startsWith('shear') ? [amount / 0.03] : []));
  const sizes = levels.map(Math.abs);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  // A normal number of mean 9 and deviation 0.5 that is cut off at 10: mean 9 - 0.5 * 0.0085 = 8.996.
  t.true(Math.abs(mean - 8.996) < 0.06, String(mean));
  t.true(sizes.some((size) => size > 9.999) && Math.max(...sizes) < 10.001);
  const right = levels.filter((level) => level > 0).length / levels.length;
  t.true(Math.abs(right - 0.5) < 0.06, String(right));
});

test('as many numbers are drawn for a layer whether its change is made or not', (t) => {
  const of = (probability: number) =>
    Array.from({ length: 50 }, (_, image) =>
      drawOperations(randAugmentSchema.parse({ probability }), random(1, image)),
    );
  const all = of(1);
  for (const [image, some] of of(0.5).entries())
    for (const operation of some) t.true(all[image]!.some((one) => one.amount === operation.amount));
  t.is(all.flat().length, 100);
  t.is(of(0).flat().length, 0);
});
