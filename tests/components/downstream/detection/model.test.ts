import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { anchorsOf, levelsOf } from '../../../../components/downstream/detection/model/anchors.ts';
import {
  clipBoxes,
  decodeBoxes,
  detectionWeights,
  encodeBoxes,
  overlaps,
  proposalWeights,
} from '../../../../components/downstream/detection/model/boxes.ts';
import { matchBoxes, sampleBoxes } from '../../../../components/downstream/detection/model/matching.ts';
import {
  assignLevels,
  poolBoxes,
  poolMasks,
  stackMaps,
} from '../../../../components/downstream/detection/model/pooling.ts';
import { keptBoxes } from '../../../../components/engine/suppress.ts';
import type { HostTensor } from '../../../../components/engine/types.ts';
import { leaves } from '../../../../components/nn/tree.ts';
import { differences, largest, sampled } from '../../engine/steps/support/compare.ts';
import { readExpected } from '../../engine/steps/support/fixture.ts';
import { between } from '../../engine/steps/support/seeded.ts';
import { compute } from '../../engine/steps/support/train.ts';
import { compareWithTorch, small, startOf } from './support/mask-rcnn.ts';

const folder = new URL('../../../fixtures/detection/', import.meta.url);
const expected = readExpected('ops', folder);

/** What a function of tensors gives on an engine. */
async function run(
  inputs: { readonly [name: string]: HostTensor },
  work: (given: { readonly [name: string]: tf.Tensor }) => { readonly [name: string]: tf.Tensor },
  engine = 'onnx',
): Promise<{ readonly [name: string]: HostTensor }> {
  const out = await compute<{ [name: string]: tf.Tensor }, object, object>(
    { name: engine },
    {},
    inputs as never,
    (_, given) => work(given) as never,
  );
  return out as never;
}

/** The largest difference from the fixture, relative to its largest number. */
function off(given: HostTensor, name: string): number {
  const wanted = { [name]: { ...expected[name]!, shape: given.shape } };
  const whole = given.data.length === expected[name]!.data.length;
  const like = whole ? wanted : { [name]: expected[name]! };
  return differences(sampled({ [name]: given }, like), like, largest)[0]!.distance;
}

const host = (shape: readonly number[], values: readonly number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});

const maps = Object.fromEntries(
  [0, 1, 2, 3].map((i) => [`map${i}`, between(`roi/map${i}`, [2, 16 >> i, 16 >> i, 3], -1, 1)]),
);
const rois = { boxes: expected['roi/boxes']!, weights: between('roi/weights', [12, 7, 7, 3], -1, 1) };

for (const by of ['product', 'picking'] as const) {
  test(`boxes are cut from the levels as torchvision cuts them, with its gradient: by ${by}`, async (t) => {
    const out = await run({ ...maps, ...rois }, ({ boxes, weights, ...given }) => {
      const cut = (...levels: tf.Tensor[]) => {
        const stack = stackMaps(levels as tf.Tensor4D[], [4, 8, 16, 32]);
        const level = assignLevels(boxes!, stack.levels, { size: 16, level: 3 });
        return poolBoxes(stack, boxes!, level, { size: 7, samples: 2, by });
      };
      const all = Object.values(given);
      const weighted = (...levels: tf.Tensor[]) =>
        tf.sum(tf.mul(tf.reshape(cut(...levels), [12, 7, 7, 3]), weights!)) as tf.Scalar;
      const [one, two, three, four] = tf.grads(weighted)(all);
      return {
        out: tf.reshape(cut(...all), [12, 7, 7, 3]),
        gradient0: one!,
        gradient1: two!,
        gradient2: three!,
        gradient3: four!,
      };
    });
    for (const [name, given] of Object.entries(out)) {
      const distance = off(given, `roi/${name}`);
      t.true(distance < 2e-6, `${name} is off by ${distance}`);
    }
  });
}

test('a mask is cut at a box with as many samples as it has pixels, as torchvision cuts it', async (t) => {
  const noise = between('masks', [6, 40, 48], 0, 1);
  const masks = { ...noise, data: (noise.data as Float32Array).map((value) => (value > 0.5 ? 1 : 0)) };
  const { out } = await run({ masks, boxes: expected['masks/boxes']! }, (given) => ({
    out: poolMasks(given.masks as tf.Tensor3D, given.boxes!, 12),
  }));
  t.true(off(out!, 'masks/out') < 2e-6);
});

test('anchors of the five levels are those of torchvision', async (t) => {
  for (const [size, patch] of [
    [32, 4],
    [32, 8],
    [64, 16],
  ] as const) {
    const { all } = await run({ nothing: host([1], [0]) }, () => ({
      all: tf.concat(anchorsOf(levelsOf(size, patch), { scale: 8, ratios: [0.5, 1, 2] }), 0),
    }));
    t.is(off(all!, `anchors/${size}/${patch}`), 0);
  }
  t.throws(() => levelsOf(24, 8), { message: /3 patches of 8, not an even number/ });
});

test('boxes are coded, decoded, clipped and compared as torchvision does', async (t) => {
  const corners = (name: string) => {
    const given = between(name, [12, 4], 0, 30);
    return {
      ...given,
      data: (given.data as Float32Array).map((value, index) => value + (index % 4 < 2 ? 0 : 31)),
    };
  };
  const inputs = {
    boxes: corners('coding/boxes'),
    others: corners('coding/others'),
    deltas: between('coding/deltas', [12, 4], -9, 9),
    sizes: host([1, 2], [33, 47]),
  };
  const out = await run(inputs, ({ boxes, others, deltas, sizes }) => {
    const decoded = decodeBoxes(deltas!, others!, detectionWeights);
    return {
      decoded,
      encoded: encodeBoxes(boxes!, others!, detectionWeights),
      grown: decodeBoxes(deltas!, others!, proposalWeights),
      clipped: clipBoxes(tf.expandDims(decoded, 0), sizes!),
      overlaps: overlaps(tf.expandDims(boxes!, 0), tf.expandDims(others!, 0)),
    };
  });
  for (const [name, given] of Object.entries(out)) {
    const distance = off(given, `coding/${name}`);
    t.true(distance < 1e-6, `${name} is off by ${distance}`);
  }
});

test('boxes are matched as by torchvision: first of equals, best of each object, all where one overlaps none', async (t) => {
  for (const [name, count] of [
    ['all', 5],
    ['four', 4],
  ] as const) {
    for (const [part, rule] of [
      ['rpn', { positiveFrom: 0.7, negativeBelow: 0.3, best: true }],
      ['boxes', { positiveFrom: 0.5, negativeBelow: 0.5 }],
    ] as const) {
      const real = Uint8Array.from({ length: 5 }, (_, object) => (object < count ? 1 : 0));
      const inputs = {
        objects: { ...expected['matching/objects']!, shape: [1, 5, 4] },
        boxes: { ...expected['matching/boxes']!, shape: [1, 12, 4] },
        real: { dtype: 'bool', shape: [1, 5], data: real } as HostTensor,
      };
      const { matches } = await run(inputs, (given) => {
        const found = matchBoxes(overlaps(given.objects!, given.boxes!), given.real!, rule);
        // As torchvision: -1 for background, -2 for neither.
        const other = tf.where(found.negative, tf.scalar(-1, 'int32'), tf.scalar(-2, 'int32'));
        return { matches: tf.where(found.positive, found.object, other) };
      });
      t.deepEqual([...matches!.data], [...expected[`matching/${part}/${name}`]!.data]);
    }
  }
});

test('suppression leaves the boxes that torchvision leaves, on each engine', async (t) => {
  const given = between('nms/boxes', [1, 60, 4], 0, 20);
  const boxes = {
    ...given,
    data: (given.data as Float32Array).map((value, index) => value + (index % 4 < 2 ? 0 : 20)),
  };
  const valid: HostTensor = { dtype: 'bool', shape: [1, 60], data: new Uint8Array(60).fill(1) };
  for (const engine of ['onnx', 'reference']) {
    for (const threshold of [0.3, 0.5, 0.7]) {
      const { kept } = await run(
        { boxes, valid },
        (each) => ({ kept: keptBoxes(each.boxes!, each.valid!, threshold) }),
        engine,
      );
      t.deepEqual([...kept!.data], [...expected[`nms/${threshold}`]!.data], `${engine}, ${threshold}`);
    }
  }
});

test('a sample has positive boxes first, as many as allowed, and negative ones in the places that are left', async (t) => {
  const inputs = {
    kinds: host([3, 8], [1, 1, 0, 0, 0, 1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, -1]),
    chances: host(
      [3, 8],
      [...Array(3)].flatMap(() => [0.1, 0.5, 0.9, 0.2, 0.8, 0.7, 0.99, 0.95]),
    ),
  };
  const out = await run(inputs, ({ kinds, chances }) => {
    const matches = { positive: tf.equal(kinds!, 1), negative: tf.equal(kinds!, 0) };
    const { rows, positive, real } = sampleBoxes(matches, chances!, { count: 4, share: 0.5 });
    return { rows, positive, real };
  });
  t.deepEqual([...out.real!.data], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
  t.deepEqual([...out.positive!.data], [1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0]);
  const rows = out.rows!.data;
  // Of three positive boxes the two with the greatest numbers, then the two best negative ones; 7, 6, 2 and 4 are greatest.
  t.deepEqual([...rows.slice(0, 4)], [5, 1, 2, 4]);
  t.deepEqual([...rows.slice(4, 8)], [6, 7, 2, 4]);
  t.deepEqual([...rows.slice(8, 11)], [2, 4, 6]);
});

test("Mask R-CNN's losses, every gradient, running statistics and detections are those of torchvision", async (t) => {
  await compareWithTorch(t, small, readExpected('mask-rcnn', folder), { forward: 1e-5, gradient: 5e-5 });
});

test('a small Mask R-CNN has the parameters of torchvision, but for rows of the background', (t) => {
  const count = leaves<HostTensor>(startOf(small) as never).reduce(
    (sum, { leaf }) => sum + leaf.data.length,
    0,
  );
  t.is(count, 18180);
});
