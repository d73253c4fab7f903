import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { type Change, drawJitter, jitterPart } from '../../../../components/data/views/jitter.ts';
import { type Jitter, jitterSchema } from '../../../../components/data/views/jitter-config.ts';
import { renderPictures, type Sight } from '../../../../components/data/views/render.ts';
import { viewSchema } from '../../../../components/data/views/view.ts';
import { random } from '../../../../components/nn/random.ts';
import { noise } from './support.ts';

interface Case {
  readonly changes: readonly (readonly [kind: Change['kind'], factor: number])[];
  readonly part: readonly [left: number, top: number, right: number, bottom: number];
  readonly channels: 1 | 3;
  readonly sha256: string;
}

// Made by make.py beside it.
const file = new URL('../../../fixtures/views/jitter.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] };

for (const { changes, part, channels, sha256 } of cases) {
  const [left, top, right, bottom] = part;
  const names = changes.map(([kind, factor]) => `${kind} ${factor}`).join(', ');
  test(`${names}, then the part ${part} of ${channels} channels: byte for byte as torchvision`, (t) => {
    const window = { top, left, height: bottom - top, width: right - left };
    const source = noise({ channels });
    const before = source.bytes.slice();
    const made = jitterPart(
      source,
      window,
      changes.map(([kind, factor]) => ({ kind, factor })),
    );
    t.deepEqual([made.height, made.width, made.channels], [window.height, window.width, channels]);
    t.is(hash('sha256', made.bytes), sha256);
    t.deepEqual(source.bytes, before);
  });
}

const beit = jitterSchema.parse(0.4);

test('a number is that of brightness, contrast and saturation', (t) => {
  t.deepEqual(beit, { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0 });
  t.deepEqual(jitterSchema.parse({ hue: 0.1 }), { brightness: 0, contrast: 0, saturation: 0, hue: 0.1 });
  // What is in a config is parsed again.
  t.deepEqual(jitterSchema.parse(beit), beit);
  t.false(jitterSchema.safeParse(-0.1).success);
  t.false(jitterSchema.safeParse({ hue: 0.6 }).success);
});

/** Changes of many images. */
function drawn(jitter: Jitter, count: number): Change[][] {
  return Array.from({ length: count }, (_, image) => drawJitter(jitter, random(0, image)));
}

test('each of the six orders comes as often, and factors are uniform from 1 - x to 1 + x', (t) => {
  const all = drawn(beit, 6000);
  const orders = new Map<string, number>();
  for (const changes of all) {
    const order = changes.map(({ kind }) => kind).join(' ');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  t.is(orders.size, 6);
  // 1000 each; the standard deviation of a count is 29.
  for (const count of orders.values()) t.true(Math.abs(count - 1000) < 120, String(count));
  for (const wanted of ['brightness', 'contrast', 'saturation']) {
    const factors = all.map((changes) => changes.find(({ kind }) => kind === wanted)!.factor);
    t.true(Math.min(...factors) >= 0.6 && Math.max(...factors) <= 1.4);
    const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length;
    const square = factors.reduce((sum, factor) => sum + (factor - 1) ** 2, 0) / factors.length;
    // Mean 1 and variance 0.8^2 / 12.
    t.true(Math.abs(mean - 1) < 0.012, String(mean));
    t.true(Math.abs(square - 0.64 / 12) < 0.003, String(square));
  }
});

test('factors are never below 0, a hue turns both ways, and what is 0 never changes', (t) => {
  const all = drawn({ brightness: 2, contrast: 0, saturation: 0, hue: 0.1 }, 500).flat();
  t.deepEqual([...new Set(all.map(({ kind }) => kind))].sort(), ['brightness', 'hue']);
  const of = (wanted: string) => all.flatMap(({ kind, factor }) => (kind === wanted ? [factor] : []));
  t.true(Math.min(...of('brightness')) >= 0 && Math.max(...of('brightness')) > 2.9);
  t.true(Math.min(...of('hue')) < -0.09 && Math.max(...of('hue')) > 0.09);
  t.true(of('hue').every((turn) => Math.abs(turn) <= 0.1));
  t.deepEqual(drawn(jitterSchema.parse(0), 5).flat(), []);
});

test('jitter moves no crop and no flip, and all pictures of an image have its colours', (t) => {
  const { crop } = viewSchema.parse({ crop: { kind: 'random-resized' } });
  const pictures = [{ size: 9, interpolation: 'bicubic' as const }];
  const plain: Sight = { crop, flip: 0.5, pictures };
  const source = noise({ channels: 3 });
  for (let index = 0; index < 20; index++) {
    const chance = [0, 'a', 3, index] as const;
    const [seen] = renderPictures(source, plain, chance);
    const both = renderPictures(
      source,
      { ...plain, jitter: beit, pictures: [...pictures, ...pictures] },
      chance,
    );
    t.is(both[0]!.mirrored, seen!.mirrored);
    t.deepEqual(both[0], both[1]);
    t.notDeepEqual(both[0]!.bytes, seen!.bytes);
    // Changes of nothing leave the same bytes.
    t.deepEqual(renderPictures(source, { ...plain, jitter: jitterSchema.parse(0) }, chance)[0], seen);
  }
});
