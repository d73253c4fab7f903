import fs from 'node:fs';
import test from 'ava';
import { resampled } from '../../components/downstream/resampled.ts';
import { bootstrapMean, noiseOfDraws } from '../../reports/bootstrap.ts';
import { holm } from '../../reports/holm.ts';

const fixture = JSON.parse(fs.readFileSync(new URL('../fixtures/noise.json', import.meta.url), 'utf8')) as {
  readonly holm: readonly (readonly [values: readonly number[], corrected: readonly number[]])[];
  readonly bootstraps: readonly {
    readonly values: readonly number[];
    /** Of the mean. */
    readonly sd: number;
    readonly exact: readonly [number, number];
    readonly scipy: readonly [number, number];
    readonly p: number;
  }[];
  /** Two rows; of each image and class the pixels in both and in the union. */
  readonly ratios: {
    readonly rows: readonly (readonly (readonly (readonly [both: number, union: number])[])[])[];
    readonly sd: number;
    readonly interval: readonly [number, number];
  };
};

test("p values corrected by Holm's method are those of statsmodels", (t) => {
  for (const [values, corrected] of fixture.holm) {
    const ours = holm(values);
    t.true(ours.every((p, index) => Math.abs(p - corrected[index]) < 1e-15));
  }
  t.deepEqual(holm([]), []);
});

test('a bootstrap over images ends where scipy’s does, and where infinitely many resamples would', (t) => {
  for (const { values, sd, exact, scipy, p } of fixture.bootstraps) {
    const ours = bootstrapMean(values);
    t.is(ours.images, values.length);
    // 10,000 resamples: an end has a standard error of 0.027 sd; a mean of few values moves in steps of its lattice.
    const error = 4 * 0.027 * sd + 1.01 / values.length / 3;
    for (const [end, value] of ours.interval.entries()) {
      t.true(Math.abs(value - exact[end]) <= error, `${value} instead of ${exact[end]}`);
      t.true(Math.abs(value - scipy[end]) <= error, `${value} instead of scipy's ${scipy[end]}`);
    }
    t.true(
      Math.abs(ours.p - p) <= 8 * Math.sqrt((p * (1 - p / 2)) / 10_000) + 2e-4,
      `${ours.p} instead of ${p}`,
    );
  }
});

test('a bootstrap of a metric that is no mean over images ends where numpy’s does', async (t) => {
  const { rows, sd, interval } = fixture.ratios;
  const [own, other] = await Promise.all(
    rows.map(async (images) => {
      const mIoU = (times: Int32Array) => {
        const ratios = [0, 1, 2].flatMap((k) => {
          const sum = (of: 0 | 1) => images.reduce((all, image, i) => all + times[i] * image[k][of], 0);
          return sum(1) > 0 ? [sum(0) / sum(1)] : [];
        });
        return ratios.reduce((all, one) => all + one) / ratios.length;
      };
      const drawn = await resampled(images.length, (times) => ({ mIoU: mIoU(times), none: undefined }));
      t.deepEqual(Object.keys(drawn.values), ['mIoU']);
      return Float64Array.from(drawn.values.mIoU);
    }),
  );
  const noise = noiseOfDraws(
    own.map((value, index) => value - other[index]),
    rows[0].length,
  );
  t.like(noise, { images: 80, resamples: 2000 });
  // 2,000 resamples: an end has a standard error of 0.06 sd.
  for (const [end, value] of noise.interval.entries())
    t.true(Math.abs(value - interval[end]) < 4 * 0.06 * sd, `${value} instead of ${interval[end]}`);
});

test('a bootstrap gives the same bytes again, for images in any order', (t) => {
  const { values } = fixture.bootstraps[2];
  const first = JSON.stringify(bootstrapMean(values));
  t.is(JSON.stringify(bootstrapMean(values)), first);
  t.is(JSON.stringify(bootstrapMean([...values].reverse())), first);
});

test('images of one value have no noise, and none at all are an error', (t) => {
  t.deepEqual(bootstrapMean([0, 0, 0]), { interval: [0, 0], p: 1, images: 3, resamples: 10_000 });
  t.like(bootstrapMean([0.5, 0.5]), { interval: [0.5, 0.5], images: 2 });
  t.throws(() => bootstrapMean([]), { instanceOf: RangeError });
});

test('the interval of all images of ImageNet is that of the normal distribution', (t) => {
  // 50,000 images, 4,000 right in one row only and 3,000 in the other: mean 0.02, sd of the mean 0.00166.
  const values = Float64Array.from({ length: 50_000 }, (_, i) => (i < 4000 ? 1 : i < 7000 ? -1 : 0));
  const [low, high] = bootstrapMean(values).interval;
  const sd = Math.sqrt((0.14 - 0.02 ** 2) / 50_000);
  t.true(Math.abs(low - (0.02 - 1.96 * sd)) < 0.1 * sd && Math.abs(high - (0.02 + 1.96 * sd)) < 0.1 * sd);
});
