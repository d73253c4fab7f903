import test from 'ava';
import sharp from 'sharp';
import type { Loader } from '../../../../components/data/batches.ts';
import { openDetectionLoader } from '../../../../components/data/dense/detection-loader.ts';
import { detectionViewSchema } from '../../../../components/data/dense/detection-view.ts';
import { openSegmentationLoader } from '../../../../components/data/dense/segmentation-loader.ts';
import { segmentationViewSchema } from '../../../../components/data/dense/segmentation-view.ts';
import { ade20k } from '../../../../components/data/readers/ade20k/config.ts';
import { load as loadAde20k } from '../../../../components/data/readers/ade20k/load.ts';
import { tinyAde20k } from '../../../../components/data/readers/ade20k/tiny.ts';
import { coco } from '../../../../components/data/readers/coco/config.ts';
import { load as loadCoco } from '../../../../components/data/readers/coco/load.ts';
import { tinyCoco } from '../../../../components/data/readers/coco/tiny.ts';
import type { Instance } from '../../../../components/data/targets.ts';
import { leafInput } from '../../../support/stage-input.ts';
import { annotated, blocks, labelled } from './support.ts';

const sizes = [
  [70, 90],
  [40, 50],
  [100, 66],
  [64, 64],
  [90, 120],
] as const;
const pictures = sizes.map(([height, width], n) =>
  blocks({ height, width, block: 16 }, (row, column) => (row + column * n) % 6),
);

/** Some images as JPEGs with label maps as PNGs, the others raw. */
async function segmentation() {
  const raw = labelled(pictures);
  const encoded = await Promise.all(
    pictures.map(async ({ labels, image: { bytes, height, width } }) => ({
      image: new Uint8Array(
        await sharp(bytes, { raw: { height, width, channels: 3 } })
          .jpeg()
          .toBuffer(),
      ),
      labels: new Uint8Array(
        await sharp(labels, { raw: { height, width, channels: 1 } })
          .toColourspace('b-w')
          .png()
          .toBuffer(),
      ),
    })),
  );
  return {
    ...raw,
    image: async (index: number) =>
      index % 2 === 0 ? { format: 'jpeg' as const, bytes: encoded[index]!.image } : raw.image(index),
    target: async (index: number) =>
      index % 2 === 0
        ? { numbering: 'from-0' as const, format: 'png' as const, bytes: encoded[index]!.labels }
        : raw.target(index),
  };
}

const objects = annotated(
  pictures.map(({ image }, n) => ({
    image,
    instances: [10, 25].map((left, k): Instance => {
      const [right, bottom] = [left + 12 + n, 20 + 5 * k];
      const outlines = [[left, 4, right, 6, left + 3, bottom]];
      return {
        id: k,
        class: k,
        box: [left, 4, right - left, bottom - 4],
        area: 90,
        crowd: false,
        mask: { outlines },
      };
    }),
  })),
);

type Opened = Loader<{ readonly indices: Int32Array }>;

/** What is shown of each image in two epochs: its arrays, by epoch and index. */
async function shown(open: (batchSize: number) => Opened, batchSize: number): Promise<string[]> {
  const loader = open(batchSize);
  const all: string[] = [];
  const count = sizes.length;
  for (let step = 0; step * batchSize < 2 * count; step++) {
    const batch = await loader.batch(step);
    for (let place = 0; place < batchSize && step * batchSize + place < 2 * count; place++) {
      const { indices, ...arrays } = batch;
      const parts = Object.values(arrays as { readonly [name: string]: { readonly data: Uint8Array } }).map(
        ({ data }) => {
          const length = data.length / batchSize;
          return Buffer.from(data.slice(place * length, (place + 1) * length).buffer).toString('latin1');
        },
      );
      const epoch = Math.floor((step * batchSize + place) / count);
      all.push(`${epoch} ${indices[place]} ${parts.join('|')}`);
    }
  }
  await loader.close();
  return all.sort();
}

test('what is shown of an image in an epoch depends on seed, purpose, epoch and index, not on threads or batches', async (t) => {
  const labelledData = await segmentation();
  const segment =
    (workers: number, more: object = {}) =>
    (batchSize: number) =>
      openSegmentationLoader(labelledData, {
        ...{ batchSize, seed: 1, purpose: 'a', steps: 12, workers },
        view: segmentationViewSchema.parse({ size: 40 }),
        ...more,
      });
  const detect =
    (workers: number, more: object = {}) =>
    (batchSize: number) =>
      openDetectionLoader(objects, {
        ...{ batchSize, seed: 1, purpose: 'a', steps: 12, workers },
        view: detectionViewSchema.parse({ size: 48, jitter: [0.3, 2], maxInstances: 3, maskStride: 2 }),
        ...more,
      });
  type Open = (workers: number, more?: object) => (batchSize: number) => Opened;
  for (const [open, threads] of [
    [segment, 2],
    [detect, 1],
  ] as [Open, number][]) {
    const here = await shown(open(0), 1);
    // Each image twice, and otherwise in the second epoch.
    t.is(new Set(here.map((one) => one.slice(2))).size, 2 * sizes.length);
    t.deepEqual(await shown(open(0), 4), here);
    t.deepEqual(await shown(open(threads), 3), here);
    for (const more of [{ seed: 2 }, { purpose: 'b' }])
      t.notDeepEqual(await shown(open(0, more), 5), here, JSON.stringify(more));
  }
});

test('folders in the layouts of ADE20K and COCO are shown: every class, and every object that is no crowd', async (t) => {
  const ade = await loadAde20k(leafInput(ade20k({ root: tinyAde20k.root, split: 'training' })));
  const options = { batchSize: 8, seed: 1, purpose: 'a', workers: 0 };
  const labels = new Set<number>();
  const view = segmentationViewSchema.parse({ size: 64, scale: [1, 1] });
  const scenes = openSegmentationLoader(ade, { ...options, view });
  for (let step = 0; step * 8 < ade.count; step++)
    for (const label of (await scenes.batch(step)).labels.data) labels.add(label);
  t.true(labels.size > 5 && Math.max(...[...labels].filter((label) => label < 255)) < ade.classes.length);

  const photos = await loadCoco(leafInput(coco({ root: tinyCoco.root, split: 'train2017' })));
  const objects = openDetectionLoader(photos, {
    ...{ ...options, batchSize: 1 },
    view: detectionViewSchema.parse({ size: 96, maskStride: 2, maxInstances: 10 }),
  });
  for (let step = 0; step < photos.count; step++) {
    const { indices, classes } = await objects.batch(step);
    const { instances } = await photos.target(indices[0]!);
    const expected = instances.filter(({ crowd }) => !crowd).map((instance) => instance.class);
    t.deepEqual(
      [...classes.data].filter((label) => label >= 0),
      expected,
    );
  }
});
