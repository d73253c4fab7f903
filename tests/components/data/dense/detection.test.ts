import test from 'ava';
import fc from 'fast-check';
import { detectionPass, openDetectionLoader } from '../../../../components/data/dense/detection-loader.ts';
import {
  detectionViewSchema,
  stillDetectionViewSchema,
} from '../../../../components/data/dense/detection-view.ts';
import { expectDetectionView } from '../../../../components/data/dense/expect.ts';
import type { Geometry } from '../../../../components/data/dense/geometry.ts';
import { seeInstances } from '../../../../components/data/dense/instances.ts';
import { renderDetection } from '../../../../components/data/dense/render-detection.ts';
import { encodeMask } from '../../../../components/data/masks/runs.ts';
import { smokeDenseView } from '../../../../components/data/smoke.ts';
import type { Instance } from '../../../../components/data/targets.ts';
import { annotated, blocks } from './support.ts';

const fill = [1, 2, 3] as const;
const grey = (height: number, width: number) => blocks({ height, width, block: 64 }, () => 0).image;

/** A rectangle as an object; `runs`: of an image of this size its mask are run lengths. */
function rectangle(
  [left, top, width, height]: Instance['box'],
  more: Partial<Instance> & { runs?: { height: number; width: number } } = {},
): Instance {
  const { runs, ...fields } = more;
  const [right, bottom] = [left + width, top + height];
  const bitmap = (size: { height: number; width: number }) =>
    Uint8Array.from({ length: size.height * size.width }, (_, pixel) => {
      const [y, x] = [Math.floor(pixel / size.width), pixel % size.width];
      return y >= top && y < bottom && x >= left && x < right ? 1 : 0;
    });
  return {
    ...{ id: 1, class: 0, box: [left, top, width, height], area: width * height, crowd: false },
    mask: runs
      ? encodeMask(bitmap(runs), runs)
      : { outlines: [[left, top, right, top, right, bottom, left, bottom]] },
    ...fields,
  };
}

/** Left, top, right, bottom of a mask. */
function boxOf(mask: Uint8Array, side: number): number[] {
  const places = [...mask.keys()].filter((at) => mask[at] === 1);
  const [x, y] = [places.map((at) => at % side), places.map((at) => Math.floor(at / side))];
  return [Math.min(...x), Math.min(...y), Math.max(...x) + 1, Math.max(...y) + 1];
}

test('boxes are those of masks and colours, up to a pixel, through any size, crop and flip', (t) => {
  let shown = 0;
  const numbers = fc.record({
    height: fc.integer({ min: 20, max: 70 }),
    width: fc.integer({ min: 20, max: 70 }),
    corner: fc.tuple(fc.nat(12), fc.nat(12)),
    extent: fc.tuple(fc.integer({ min: 3, max: 40 }), fc.integer({ min: 3, max: 40 })),
    kind: fc.constantFrom('outline', 'ellipse', 'runs'),
    size: fc.integer({ min: 16, max: 50 }),
    isJittered: fc.boolean(),
    index: fc.nat(1000),
  });
  fc.assert(
    fc.property(numbers, ({ height, width, corner, extent, kind, size, isJittered, index }) => {
      const [left, top] = corner;
      const box = [left, top, Math.min(extent[0], width - left), Math.min(extent[1], height - top)] as const;
      const plain = rectangle(box, kind === 'runs' ? { runs: { height, width } } : {});
      const ring = Array.from({ length: 40 }, (_, n) => [
        left + (box[2] * (1 + Math.cos((n * Math.PI) / 20))) / 2,
        top + (box[3] * (1 + Math.sin((n * Math.PI) / 20))) / 2,
      ]).flat();
      const object = kind === 'ellipse' ? { ...plain, mask: { outlines: [ring] } } : plain;
      // The object is light, all else dark.
      const image = grey(height, width);
      for (let y = top; y < top + box[3]; y++)
        for (let x = left; x < left + box[2]; x++)
          image.bytes.fill(250, (y * width + x) * 3, (y * width + x) * 3 + 3);
      const view = detectionViewSchema.parse({ fill, ...(isJittered ? { jitter: [0.3, 2] } : {}) });
      const resize = isJittered ? { jitter: view.jitter! } : { shorter: [size - 4], longer: size };
      const target = { imageId: 1, height, width, instances: [object] };
      const seen = renderDetection(image, target, { ...view, size, resize }, [1, 'a', 0, index]);
      const light = (y: number, x: number) => seen.image[(y * size + x) * 3 + 1]! > 230;
      if (seen.classes.length === 0) {
        // Out of sight, or too small for a pixel.
        t.false(
          Array.from({ length: size * size }, (_, at) => light(Math.floor(at / size), at % size)).every(
            Boolean,
          ),
        );
        return;
      }
      shown++;
      t.is(seen.masks.length, size * size);
      const found = boxOf(seen.masks, size);
      const [x0, y0, x1, y1] = seen.boxes as unknown as [number, number, number, number];
      t.true(x0 >= 0 && y0 >= 0 && x1 <= seen.width && y1 <= seen.height);
      const least = Math.min(x1 - x0, y1 - y0);
      const isCut = x0 <= 0 || y0 <= 0 || x1 >= seen.width || y1 >= seen.height;
      // Of a pointed end that is thinner than a pixel, the mask has nothing.
      const isPointed = kind === 'ellipse' && (isCut || least < 8 || Math.max(x1 - x0, y1 - y0) > 4 * least);
      for (const [n, edge] of [...seen.boxes].entries()) {
        const outwards = n < 2 ? edge - found[n]! : found[n]! - edge;
        if (isPointed ? outwards > 1.01 : Math.abs(outwards) > 1.01)
          t.fail(`${seen.boxes} and ${found} of ${kind}`);
      }
      if (kind === 'ellipse') return;
      // What lies well in the box is light, what lies well outside is dark.
      for (let y = 0; y < seen.height; y++)
        for (let x = 0; x < seen.width; x++) {
          const isIn = x > x0 + 3 && x < x1 - 4 && y > y0 + 3 && y < y1 - 4;
          const isOut = x < x0 - 4 || x > x1 + 3 || y < y0 - 4 || y > y1 + 3;
          if ((isIn && !light(y, x)) || (isOut && light(y, x))) t.fail(`${x}, ${y} of ${seen.boxes}`);
        }
    }),
    { numRuns: 100 },
  );
  t.true(shown > 60, String(shown));
});

/** A window of 10 x 10 pixels of an image of 20 x 20 that is shown twice as large. */
const cut: Geometry = {
  source: { height: 20, width: 20 },
  resized: { height: 40, width: 40 },
  window: { top: 10, left: 10, height: 10, width: 10 },
  mirrored: false,
};
const options = { size: 10, maskStride: 1, maxInstances: 10 };

test('of an object that is cut, the box is that of what is left of its mask', (t) => {
  // An L: a bar on the left from top to bottom, and one at the bottom.
  const outline = [2, 2, 6, 2, 6, 16, 18, 16, 18, 18, 2, 18];
  const box = [2, 2, 16, 16] as const;
  const l = (more: Partial<Instance> = {}): Instance => ({
    ...rectangle(box),
    mask: { outlines: [outline] },
    ...more,
  });
  // The window shows pixels 5 to 9: of the L, the part of the bar from 5 to 6, which is from 0 to 2 on the canvas.
  t.deepEqual([...seeInstances([l()], cut, options).boxes], [0, 0, 2, 10]);
  t.deepEqual([...seeInstances([l()], { ...cut, mirrored: true }, options).boxes], [8, 0, 10, 10]);
  const bitmap = Uint8Array.from({ length: 400 }, (_, pixel) => {
    const [y, x] = [Math.floor(pixel / 20), pixel % 20];
    return y >= 2 && y < 18 && x >= 2 && (x < 6 || (y >= 16 && x < 18)) ? 1 : 0;
  });
  const runs = l({ mask: encodeMask(bitmap, { height: 20, width: 20 }) });
  const seen = seeInstances([runs], cut, options);
  t.deepEqual([...seen.boxes], [0, 0, 2, 10]);
  t.deepEqual(boxOf(seen.masks, 10), [0, 0, 2, 10]);
  // The corner between both bars is in the box, but nothing of the object is there.
  const corner = { ...cut, window: { top: 10, left: 14, height: 10, width: 10 } };
  t.is(seeInstances([l(), runs], corner, options).classes.length, 0);
});

test('groups, objects out of sight and those without an area are no targets; the others keep their order', (t) => {
  const instances = [
    rectangle([6, 6, 3, 3], { class: 4 }),
    rectangle([6, 6, 3, 3], { crowd: true }),
    rectangle([0, 0, 5, 5]),
    rectangle([6, 6, 0, 3]),
    rectangle([6, 6, 2, 2], { class: 2 }),
  ];
  const seen = seeInstances(instances, cut, options);
  t.deepEqual([...seen.classes], [4, 2]);
  t.deepEqual([...seen.boxes], [2, 2, 8, 8, 2, 2, 6, 6]);
  t.is(seen.left, 0);
});

test('masks of a larger stride have a pixel for many, and the smallest object has one', (t) => {
  const whole: Geometry = {
    source: { height: 16, width: 16 },
    resized: { height: 16, width: 16 },
    window: { top: 0, left: 0, height: 16, width: 16 },
    mirrored: false,
  };
  const runs = { height: 16, width: 16 };
  // Run lengths without a pixel are no mask: such an object is not seen at all.
  const nothing = rectangle([4, 4, 8, 4], { mask: { ...runs, counts: Uint32Array.of(256) } });
  const few = [rectangle([4, 4, 8, 4]), rectangle([9, 2, 1, 1]), rectangle([4, 4, 8, 4], { runs })];
  const instances = [nothing, ...few];
  const { masks } = seeInstances(instances, whole, { size: 16, maskStride: 4, maxInstances: 3 });
  const rows = (n: number) =>
    [0, 1, 2, 3].map((y) => masks.slice((n * 4 + y) * 4, (n * 4 + y) * 4 + 4).join(''));
  t.deepEqual(rows(0), ['0000', '0110', '0000', '0000']);
  t.deepEqual(rows(1), ['0010', '0000', '0000', '0000']);
  t.deepEqual(rows(2), rows(0));
});

test('a batch has places for so many objects: the largest, with one warning', async (t) => {
  const sizes = [2, 5, 3, 4];
  const many = sizes.map((size, n) => rectangle([1, 1, size, size], { class: n }));
  const data = annotated([
    { image: grey(8, 8), instances: many },
    { image: grey(8, 8), instances: many.slice(0, 1) },
  ]);
  const warnings: string[] = [];
  const view = detectionViewSchema.parse({
    size: 10,
    shorter: 8,
    longer: 10,
    flip: 0,
    maxInstances: 2,
    fill,
  });
  const loader = openDetectionLoader(data, {
    ...{ batchSize: 4, seed: 0, purpose: 'a', view, workers: 0, warn: (text: string) => warnings.push(text) },
  });
  const batch = await loader.batch(0);
  t.deepEqual(
    [batch.images, batch.boxes, batch.classes, batch.masks, batch.sizes].map(({ dtype, shape }) => [
      dtype,
      shape,
    ]),
    [
      ['uint8', [4, 10, 10, 3]],
      ['float32', [4, 2, 4]],
      ['int32', [4, 2]],
      ['uint8', [4, 2, 10, 10]],
      ['int32', [4, 2]],
    ],
  );
  const [full, few] = [0, 1].map((index) => batch.indices.indexOf(index)) as [number, number];
  const at = (place: number, { data: values, shape }: typeof batch.boxes) => {
    const length = values.length / shape[0]!;
    return [...values.slice(place * length, (place + 1) * length)];
  };
  t.deepEqual(at(full, batch.classes), [1, 3]);
  t.deepEqual(at(full, batch.boxes), [1, 1, 6, 6, 1, 1, 5, 5]);
  t.deepEqual(at(few, batch.classes), [0, -1]);
  t.deepEqual(at(few, batch.boxes), [1, 1, 3, 3, 0, 0, 0, 0]);
  t.is(at(few, batch.masks).filter(Boolean).length, 4);
  t.deepEqual(at(few, batch.sizes), [8, 8]);
  t.deepEqual(at(few, batch.images).slice(-3), [...fill]);
  t.deepEqual(at(few, batch.images).slice(0, 3), [...grey(1, 1).bytes]);
  t.deepEqual(warnings, [
    'image 0 of objects has 4 objects, more than `maxInstances`, 2: of such images the largest objects are learnt from',
  ]);
});

test('a test sees whole pictures with their scales, and the last batch repeats its first image', async (t) => {
  const shapes = [
    [8, 16],
    [20, 5],
    [10, 10],
  ] as const;
  const data = annotated(shapes.map(([height, width]) => ({ image: grey(height, width), instances: [] })));
  const view = stillDetectionViewSchema.parse({ size: 12, shorter: 6, longer: 10, fill });
  const seen = [];
  for await (const one of detectionPass(data, { view, batchSize: 2, workers: 0 })) seen.push(one);
  t.deepEqual(
    seen.map(({ sizes, scales, targets, real }) => [
      [...sizes.data],
      scales,
      targets.map(({ imageId }) => imageId),
      real,
    ]),
    [
      // 8 x 16 by 10 / 16; 20 x 5 by a half: 2.5 is rounded up, as detectron2 rounds.
      [
        [5, 10, 10, 3],
        [
          [5 / 8, 10 / 16],
          [10 / 20, 3 / 5],
        ],
        [100, 101],
        2,
      ],
      [
        [6, 6, 6, 6],
        [
          [0.6, 0.6],
          [0.6, 0.6],
        ],
        [102, 102],
        1,
      ],
    ],
  );
});

test('what can not be shown is refused: by the image and the annotation, or by the field of the view', async (t) => {
  const load = (instance: Partial<Instance>, fields: object = {}, size = 8) => {
    const data = annotated([{ image: grey(8, 8), instances: [{ ...rectangle([1, 1, 4, 4]), ...instance }] }]);
    const view = detectionViewSchema.parse({ size, ...fields });
    return openDetectionLoader(data, { batchSize: 1, seed: 0, purpose: 'a', view, workers: 0 }).batch(0);
  };
  const { mask: _, ...bare } = rectangle([1, 1, 4, 4], { id: 17 });
  const data = annotated([{ image: grey(8, 8), instances: [bare] }]);
  const view = detectionViewSchema.parse({ size: 8 });
  await t.throwsAsync(
    openDetectionLoader(data, { batchSize: 1, seed: 0, purpose: 'a', view, workers: 0 }).batch(0),
    { message: 'image 0 of objects: annotation 17 has no mask' },
  );
  await t.throwsAsync(load({ class: 6 }), { message: 'image 0 of objects: annotation 1 has the class 6' });
  await t.throwsAsync(load({ mask: { outlines: [[1, 1, 2, 2]] } }), {
    message: /^image 0 of objects: annotation 1: an outline of 2 points/,
  });
  await t.throwsAsync(load({ mask: { height: 4, width: 4, counts: Uint32Array.of(16) } }), {
    message: /^image 0 of objects: annotation 1: a mask of 4x4/,
  });
  t.throws(() => load({}, { longer: 9 }), {
    message: /longer edge of 9 pixels doesn't fit into a picture of 8/,
  });
  t.throws(() => load({}, { maskStride: 4 }, 10), { message: /10 pixels has no masks/ });
  t.regex(
    detectionViewSchema.safeParse({ jitter: [0.1, 2], longer: 9 }).error!.issues[0]!.message,
    /beside `shorter` or `longer`/,
  );
  const facts = { name: 'train', facts: { size: 10 } } as never;
  t.deepEqual(
    expectDetectionView({ longer: 11, maskStride: 4 }, facts, { longer: 12 }).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    ),
    [
      'view.longer expected at most 10, the size of train',
      'testView.longer expected at most 10, the size of train',
      'view.maskStride expected a divisor of 10, the size of pictures',
    ],
  );
  t.deepEqual(
    smokeDenseView(
      { size: 1344, shorter: [640, 800], longer: 1333, maxInstances: 100 },
      { real: 1344, smoke: 64 },
    ),
    { size: 64, shorter: [30, 38], longer: 63, maxInstances: 8 },
  );
});
