import test from 'ava';
import { decodeMask } from '../../../../../components/data/masks/runs.ts';
import { cutOut } from '../../../../../components/data/readers/composites/items.ts';
import { whatIsSeen } from '../../../../../components/data/readers/composites/scene/layout.ts';
import { paint } from '../../../../../components/data/readers/composites/scene/paint.ts';
import {
  type Sprite,
  spriteOf,
  spriteSize,
} from '../../../../../components/data/readers/composites/scene/sprite.ts';
import type { Thing } from '../../../../../components/data/readers/composites/scene/thing.ts';
import {
  instancesOf,
  labelMapOf,
  largestClass,
} from '../../../../../components/data/readers/composites/targets.ts';

/** A picture of 28x28 of rectangles, the later over the earlier: left, top, right, bottom (after the last), grey. */
function item(...rectangles: readonly (readonly [number, number, number, number, number])[]): Uint8Array {
  const pixels = new Uint8Array(28 * 28);
  for (const [left, top, right, bottom, grey] of rectangles)
    for (let y = top; y < bottom; y++) pixels.fill(grey, y * 28 + left, y * 28 + right);
  return pixels;
}

/** A mask as its pixels in the 28x28 of the item. */
const inside = ({ mask }: Sprite, x: number, y: number) => mask[(y + 2) * spriteSize + x + 2];

test('the mask of an item is what is brighter than its background, holes filled and specks left out', (t) => {
  // A ring of 10x10 with a hole of 4x4, a dim fringe and a speck.
  const pixels = item([3, 3, 15, 15, 8], [4, 4, 14, 14, 200], [7, 7, 11, 11, 0], [25, 25, 26, 27, 90]);
  const filled = cutOut(pixels, false);
  t.is(filled.area, 100);
  t.deepEqual([filled.height, filled.width], [10, 10]);
  t.deepEqual(filled.middle, [2 + 9, 2 + 9]);
  t.is(inside(filled, 8, 8), 1);
  t.is(inside(filled, 3, 3), 0);
  t.is(inside(filled, 25, 25), 0);
  // Straps and handles have true holes; holes of a few pixels are dark cloth.
  t.is(cutOut(pixels, true).area, 84);
  t.is(cutOut(item([4, 4, 14, 14, 200], [7, 7, 9, 10, 0]), true).area, 100);
});

test('a hole that reaches the outside is none, and two large parts both stay', (t) => {
  t.is(cutOut(item([0, 0, 10, 10, 200], [4, 0, 6, 10, 0]), false).area, 80);
});

/** A square of 8x8 in the middle of a sprite. */
const square = spriteOf(
  new Uint8Array(spriteSize ** 2).fill(100),
  Uint8Array.from({ length: spriteSize ** 2 }, (_, at) => {
    const [x, y] = [at % spriteSize, Math.floor(at / spriteSize)];
    return x >= 12 && x < 20 && y >= 12 && y < 20 ? 1 : 0;
  }),
);

function at(x: number, y: number, more: Partial<Thing> = {}): Thing {
  return { sprite: square, class: 0, x, y, scale: 1, angle: 0, mirrored: false, ...more };
}

test('a thing of scale 1 at a whole place covers the pixels of its mask, and no others', (t) => {
  const layout = whatIsSeen([at(10, 20)], 32);
  const seen = instancesOf(layout, 1, 1).instances;
  t.deepEqual(
    seen.map(({ box, area }) => ({ box, area })),
    [{ box: [6, 16, 8, 8], area: 64 }],
  );
});

test('scale, place and half turns act on the mask as on paper', (t) => {
  const boxOf = (thing: Thing) => instancesOf(whatIsSeen([thing], 32), 1, 1).instances[0]!.box;
  t.deepEqual(boxOf(at(16, 16, { scale: 2 })), [8, 8, 16, 16]);
  t.deepEqual(boxOf(at(16, 16, { angle: Math.PI / 2 })), [12, 12, 8, 8]);
  t.deepEqual(boxOf(at(16, 16, { mirrored: true })), [12, 12, 8, 8]);
  // Turned by an eighth a square is 8 * sqrt(2) = 11.3 wide.
  const [, , width, height] = boxOf(at(16, 16, { angle: Math.PI / 4 }));
  t.true(width >= 10 && width <= 12 && height === width);
  // What lies beyond the edge is cut off.
  t.deepEqual(boxOf(at(2, 30)), [0, 26, 6, 6]);
});

test('turning is clockwise: what is on the right of a thing comes below it', (t) => {
  const mask = new Uint8Array(spriteSize ** 2);
  // An L: a bar of 8x2 with 2 pixels more at its right end.
  for (let x = 12; x < 20; x++) mask[15 * spriteSize + x] = 1;
  for (let y = 9; y < 16; y++) mask[y * spriteSize + 19] = 1;
  const sprite = spriteOf(new Uint8Array(spriteSize ** 2), mask);
  const pixels = (thing: Thing) => whatIsSeen([thing], 32).owners.pixels;
  const upright = pixels(at(16, 16.5, { sprite }));
  t.deepEqual([upright[13 * 32 + 19], upright[13 * 32 + 12]], [1, 0]);
  const mirrored = pixels(at(16, 16.5, { sprite, mirrored: true }));
  t.deepEqual([mirrored[13 * 32 + 19], mirrored[13 * 32 + 12]], [0, 1]);
  const turned = pixels(at(16.5, 16, { sprite, angle: Math.PI / 2 }));
  // The corner, right below, is now left below; the short end, right above, is right below.
  t.deepEqual([turned[19 * 32 + 13], turned[19 * 32 + 19], turned[12 * 32 + 19]], [1, 1, 0]);
});

test('boxes and masks are those of what is visible, and less than 15 % of an object is not annotated', (t) => {
  // The second covers 8x4 of the first; the third leaves 8x1 of the fourth, an eighth.
  const things = [at(8, 8), at(8, 12, { class: 1 }), at(24, 24, { class: 2 }), at(24, 23, { class: 3 })];
  const layout = whatIsSeen([things[0]!, things[1]!, things[2]!, things[3]!], 32);
  const { instances } = instancesOf(layout, 7, 50);
  t.deepEqual(
    instances.map(({ id, class: label, box, area, crowd }) => ({ id, label, box, area, crowd })),
    [
      { id: 50, label: 0, box: [4, 4, 8, 4], area: 32, crowd: false },
      { id: 51, label: 1, box: [4, 8, 8, 8], area: 64, crowd: false },
      { id: 52, label: 3, box: [20, 19, 8, 8], area: 64, crowd: false },
    ],
  );
  t.is(largestClass(layout), 1);
  const map = labelMapOf(layout);
  if (map.format !== 'raw') return t.fail();
  const number = (x: number, y: number) => map.numbers[y * 32 + x];
  // Background is class 0. What is left of the hidden object is no class.
  t.deepEqual([number(0, 0), number(8, 5), number(8, 9), number(24, 20), number(24, 27)], [0, 1, 2, 4, 255]);
});

test('clutter in front hides objects, and is background itself', (t) => {
  const layout = whatIsSeen([at(8, 8), at(8, 12, { class: -1 })], 32);
  const [first, ...others] = instancesOf(layout, 1, 1).instances;
  t.is(others.length, 0);
  t.deepEqual(first!.box, [4, 4, 8, 4]);
  const mask = first!.mask!;
  if (!('counts' in mask)) return t.fail();
  t.is(
    decodeMask(mask).reduce((sum, bit) => sum + bit, 0),
    32,
  );
});

test('greys become colours between the two ends of a ramp, half covered pixels by half', (t) => {
  const colours = new Float32Array(32 * 32 * 3).fill(40);
  const ramp = { dark: [0, 0, 0], bright: [255, 51, 102] } as const;
  paint(at(16.5, 16), { size: 32, colours, ramp });
  const colour = (x: number, y: number) => [...colours.subarray((y * 32 + x) * 3, (y * 32 + x) * 3 + 3)];
  const near = (found: readonly number[], wanted: readonly number[]) =>
    t.true(
      found.every((value, n) => Math.abs(value - wanted[n]!) < 1e-3),
      `${found} ${wanted}`,
    );
  near(colour(16, 16), [100, 20, 40]);
  near(colour(12, 16), [70, 30, 40]);
  near(colour(11, 16), [40, 40, 40]);
});
