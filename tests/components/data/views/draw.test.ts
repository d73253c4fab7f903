import test from 'ava';
import fc from 'fast-check';
import { drawView, placeView } from '../../../../components/data/views/draw.ts';
import { type Crop, viewSchema } from '../../../../components/data/views/view.ts';
import { random } from '../../../../components/nn/random.ts';

const randomResized = (fields: object = {}): Extract<Crop, { kind: 'random-resized' }> =>
  viewSchema.parse({ crop: { kind: 'random-resized', ...fields } }).crop as never;

test('the centre is that of torchvision: the shorter side resized, then the middle cut out, halves to the even pixel', (t) => {
  // T.Resize(256), T.CenterCrop(224) of 500 x 375: 341 x 256, cut at round(58.5) = 58 and 16.
  const crop = { kind: 'centre', share: 224 / 256 } as const;
  t.deepEqual(placeView(crop, { flip: false }, { height: 375, width: 500 }, 224), {
    part: { top: 0, left: 0, height: 375, width: 500 },
    resized: { height: 256, width: 341 },
    window: { top: 16, left: 58, height: 224, width: 224 },
  });
  // T.Resize(32), T.CenterCrop(32) of 32 x 32.
  const { resized, window } = placeView(
    { kind: 'centre', share: 1 },
    { flip: false },
    { height: 32, width: 32 },
    32,
  );
  t.deepEqual(
    [resized, window],
    [
      { height: 32, width: 32 },
      { top: 0, left: 0, height: 32, width: 32 },
    ],
  );
});

test('random parts lie inside the image, with areas and aspects of their ranges', (t) => {
  const source = { height: 300, width: 400 };
  const crop = randomResized();
  const areas: number[] = [];
  const aspects: number[] = [];
  for (let index = 0; index < 2000; index++) {
    const { part } = drawView({ crop, flip: 0.5 }, source, random(0, 'draw', index));
    const { top, left, height, width } = part!;
    t.true(top >= 0 && left >= 0 && top + height <= 300 && left + width <= 400);
    areas.push((height * width) / (300 * 400));
    aspects.push(Math.log(width / height));
  }
  // Rounded to whole pixels.
  t.true(Math.min(...areas) > 0.075 && Math.max(...areas) <= 1);
  t.true(Math.min(...aspects) > Math.log(0.73) && Math.max(...aspects) < Math.log(1.37));
  // 0.433 over 200,000 draws of the definition in Python: large ones often do not fit, and are drawn again.
  const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
  t.true(Math.abs(mean - 0.433) < 0.02, String(mean));
});

test('an image on which no such part fits shows its middle', (t) => {
  const drawn = drawView(
    { crop: randomResized({ scale: [1, 1] }), flip: 0 },
    { height: 10, width: 1000 },
    random(0),
  );
  // torchvision: the aspect is above the range, so the height stays, and the width is round(10 * 4 / 3).
  t.deepEqual(drawn.part, { top: 0, left: 493, height: 10, width: 13 });
});

test('a part is at least a pixel, of any image', (t) => {
  const side = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(side, side, fc.nat(), (height, width, seed) => {
      const { part } = drawView({ crop: randomResized(), flip: 0 }, { height, width }, random(seed));
      const { part: placed, resized } = placeView(
        randomResized(),
        { flip: false, part: part! },
        { height, width },
        5,
      );
      return part!.height >= 1 && part!.width >= 1 && placed === part && resized.height === 5;
    }),
    { seed: 1 },
  );
  t.pass();
});

test('shifts go up to the distance along both axes, and crops do not depend on flips', (t) => {
  const crop = { kind: 'shift', distance: 2 } as const;
  const drawn = Array.from({ length: 200 }, (_, index) =>
    drawView({ crop, flip: 0.5 }, { height: 8, width: 8 }, random(0, index)),
  );
  const all = [-2, -1, 0, 1, 2];
  for (const axis of [0, 1] as const)
    t.deepEqual(
      [...new Set(drawn.map(({ shift }) => shift![axis]))].sort((a, b) => a - b),
      all,
    );
  t.true(drawn.some(({ flip }) => flip) && drawn.some(({ flip }) => !flip));
  for (const [index, { shift }] of drawn.entries())
    t.deepEqual(drawView({ crop, flip: 0 }, { height: 8, width: 8 }, random(0, index)), {
      flip: false,
      shift: shift!,
    });
});
