import test from 'ava';
import { drawErased, eraseWindow } from '../../../../components/data/views/erasing.ts';
import { erasingSchema } from '../../../../components/data/views/erasing-config.ts';
import { random } from '../../../../components/nn/random.ts';

const beit = erasingSchema.parse(0.25);
const size = { height: 32, width: 32 };

test('a number is the probability, and the rest is that of timm', (t) => {
  t.deepEqual(beit, erasingSchema.parse({}));
  t.deepEqual(erasingSchema.parse(beit), beit);
  t.deepEqual([beit.probability, beit.area, beit.aspect], [0.25, [0.02, 1 / 3], [0.3, 1 / 0.3]]);
  for (const wrong of [1.1, { area: [0.5, 0.2] }, { mean: [0.5] }, 'pixel'])
    t.false(erasingSchema.safeParse(wrong).success, JSON.stringify(wrong));
});

test('rectangles come as often, as large and as tall as those of timm', (t) => {
  const drawn = Array.from({ length: 20_000 }, (_, image) => drawErased(beit, size, random(0, image)));
  const windows = drawn.flatMap((window) => window ?? []);
  // 5000; the standard deviation of the count is 61.
  t.true(Math.abs(windows.length - 5000) < 250, String(windows.length));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const areas = windows.map(({ height, width }) => (height * width) / 1024);
  const aspects = windows.map(({ height, width }) => Math.log(height / width));
  // timm's RandomErasing(probability=1) on 32 x 32, 20,000 times: 0.1754 (deviation 0.0902); logarithms 0 and 0.695.
  t.true(Math.abs(mean(areas) - 0.1754) < 0.005, String(mean(areas)));
  t.true(Math.abs(Math.sqrt(mean(areas.map((area) => (area - 0.1754) ** 2))) - 0.0902) < 0.004);
  t.true(Math.abs(mean(aspects)) < 0.04, String(mean(aspects)));
  t.true(Math.abs(Math.sqrt(mean(aspects.map((aspect) => aspect ** 2))) - 0.695) < 0.02);
  for (const { top, left, height, width } of windows)
    t.true(top >= 0 && left >= 0 && top + height <= 32 && left + width <= 32 && height < 32 && width < 32);
  // Wherever they fit: as far from one side as from the other.
  t.true(Math.abs(mean(windows.map(({ top, height }) => top - (32 - top - height)))) < 0.6);
  t.true(Math.abs(mean(windows.map(({ left, width }) => left - (32 - left - width)))) < 0.6);
});

test('a picture on which no rectangle fits keeps all of itself', (t) => {
  const always = erasingSchema.parse({ probability: 1, area: [1, 1] });
  t.is(drawErased(always, { height: 8, width: 8 }, random(0)), undefined);
});

test('the rectangle is filled with noise of the mean and deviation of each channel, and nothing else changes', (t) => {
  const picture = {
    bytes: new Uint8Array(100 * 100 * 3).fill(7),
    height: 100,
    width: 100,
    channels: 3 as const,
  };
  const window = { top: 10, left: 20, height: 80, width: 75 };
  eraseWindow(picture, window, beit, random(3));
  for (const [channel, expected] of [0.485, 0.456, 0.406].entries()) {
    const values: number[] = [];
    for (let y = 0; y < 100; y++)
      for (let x = 0; x < 100; x++) {
        const byte = picture.bytes[(y * 100 + x) * 3 + channel]!;
        if (y >= 10 && y < 90 && x >= 20 && x < 95) values.push(byte / 255);
        else t.is(byte, 7);
      }
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    // Rounded and clipped normal numbers by numpy: means 0.001 to 0.003 above, spreads 0.973, 0.974 and 0.965 of the deviation.
    t.true(Math.abs(mean - expected - 0.0017) < 0.012, String(mean));
    const share = spread / beit.deviation[channel]!;
    t.true(Math.abs(share - 0.971) < 0.035, String(share));
  }
});
