import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import test, { type ExecutionContext } from 'ava';
import { type VitInput, vit, vitSchema } from '../../../components/backbone/config.ts';
import { dropPathFactors, dropPathNoise } from '../../../components/backbone/drop-path.ts';
import { initVit } from '../../../components/backbone/init.ts';
import { relativeBias, relativeIndex } from '../../../components/backbone/positions.ts';
import { initPyramid, mapsOf, type Pyramid, pyramidOf } from '../../../components/backbone/pyramid.ts';
import { pyramidCounts, pyramidNorm, usualLayers } from '../../../components/backbone/pyramid-config.ts';
import {
  resizeBackbone,
  resizePositions,
  resizeRelativePositions,
} from '../../../components/backbone/resize.ts';
import { blockOutputs, embedPatches, type Vit, withPositions } from '../../../components/backbone/vit.ts';
import { type Classifier, classify, initClassifier } from '../../../components/downstream/finetune/model.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostOf, HostTensor } from '../../../components/engine/types.ts';
import { batchNormRest, type RunningStatistics, trainingNorms } from '../../../components/nn/batch-norm.ts';
import { layerNorm } from '../../../components/nn/layers.ts';
import { random } from '../../../components/nn/random.ts';
import { type HostTree, hostTensor, leaves, type TreeOf } from '../../../components/nn/tree.ts';
import { valueAndGradients } from '../../../components/training/gradients.ts';
import { between, seededWeights } from '../engine/steps/support/seeded.ts';
import { compute } from '../engine/steps/support/train.ts';

interface Expected {
  readonly index: readonly number[];
  readonly tables: readonly { before: number; after: number; heads: number; table: readonly number[] }[];
  readonly positions: readonly { before: number; after: number; dim: number; positions: readonly number[] }[];
  readonly shared: readonly number[];
  readonly fineTuned: readonly number[];
  readonly plain: readonly (readonly number[])[];
}

const expected = JSON.parse(
  readFileSync(new URL('../../fixtures/vit/vit.json', import.meta.url), 'utf8'),
) as Expected;

function close(t: ExecutionContext, actual: ArrayLike<number>, wanted: readonly number[], allowed: number) {
  t.is(actual.length, wanted.length);
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - actual[i]!)));
  t.true(worst <= allowed, `off by ${worst}, allowed is ${allowed}`);
}

const size = 16;
const config = (changes: Partial<VitInput> = {}) =>
  vitSchema.parse(vit({ dim: 24, depth: 3, heads: 3, patch: 4, layerScaleInit: 0.1 }, changes));
const images = between('images', [2, size, size, 3], 0, 1);
const run = <T>(
  weights: HostOf<T>,
  forward: (weights: T, images: tf.Tensor) => { readonly [name: string]: tf.Tensor },
) =>
  compute<{ images: tf.Tensor }, { readonly [name: string]: tf.Tensor }, T>(
    { name: 'onnx' },
    weights,
    { images },
    (frozen, fed) => forward(frozen, fed.images),
  );

test("a BEiT with a shared table gives what timm's gives", async (t) => {
  const weights = seededWeights('vit', initVit(random(0), config(), size));
  const { tokens } = await run<Vit<tf.Tensor>>(weights, (frozen, seen) => {
    const embedded = withPositions(frozen, embedPatches(frozen, config(), seen));
    return { tokens: layerNorm(blockOutputs(frozen, config(), embedded).at(-1)!, frozen.norm) };
  });
  close(t, tokens!.data, expected.shared, 1e-5);
});

test("a fine-tuned BEiT, a table a block, mean pooling and fc_norm, gives timm's logits", async (t) => {
  const { vit: body, ...rest } = initClassifier(random(0), initVit(random(0), config(), size), 5);
  const weights = { vit: seededWeights('vit', body), ...seededWeights('vit', rest) };
  const { logits } = await run<Classifier<tf.Tensor>>(weights, (frozen, seen) => ({
    logits: classify(frozen, config(), seen),
  }));
  close(t, logits!.data, expected.fineTuned, 1e-5);
});

test('with absolute positions, a key bias and no LayerScale, each block gives what that of timm gives', async (t) => {
  const plain = config({ positions: 'absolute', keyBias: true, layerScaleInit: 0 });
  const weights = seededWeights('vit', initVit(random(0), plain, size));
  const outputs = await run<Vit<tf.Tensor>>(weights, (frozen, seen) => {
    const all = blockOutputs(frozen, plain, withPositions(frozen, embedPatches(frozen, plain, seen)));
    return Object.fromEntries(all.map((tokens, i) => [String(i), tokens]));
  });
  for (const [i, tokens] of expected.plain.entries()) close(t, outputs[String(i)]!.data, tokens, 1e-5);
});

test('the rows of pairs of tokens are those of the official code', (t) => {
  t.deepEqual([...relativeIndex(3)], expected.index);
  // 2 x 2 patches by hand: nine distances, then class to patch, patch to class, class to itself.
  t.deepEqual(
    [...relativeIndex(2)],
    [...[11, 9, 9, 9, 9], ...[10, 4, 3, 1, 0], ...[10, 5, 4, 2, 1], ...[10, 7, 6, 4, 3], ...[10, 8, 7, 5, 4]],
  );
  t.is(Math.max(...relativeIndex(14)), 731);
});

// Above 512 rows the onnx engine adds in another way than below.
for (const [engine, side] of [
  ['onnx', 13],
  ['onnx', 3],
  ['reference', 3],
] as const) {
  test(`the gradient of a row is the sum over its pairs, on ${engine}, ${side} patches a side`, async (t) => {
    const heads = 2;
    const tokens = side ** 2 + 1;
    const opened = await openEngine({ name: engine });
    const rows = (2 * side - 1) ** 2 + 3;
    const state = opened.state<{ table: tf.Tensor }>({ table: between('table', [rows, heads], -1, 1) });
    const upstream = between('upstream', [heads, tokens, tokens], -1, 1);
    const program = await opened.compile<{ table: tf.Tensor }, { dy: tf.Tensor }, { bias: tf.Tensor }>({
      ...{ name: 'bias', state, batch: { dy: { shape: upstream.shape } } },
      step: ({ table }, { dy }) => {
        const { grads } = tf.valueAndGrads((x: tf.Tensor) =>
          tf.sum<tf.Scalar>(tf.mul(relativeBias(x, tokens), dy)),
        )([table]);
        return { state: { table: grads[0]! }, out: { bias: relativeBias(table, tokens) } };
      },
    });
    const table = state.read().table.data;
    const { bias } = await program.run({ dy: upstream });
    const sums = new Float64Array(rows * heads);
    let worst = 0;
    for (const [pair, row] of relativeIndex(side).entries()) {
      for (let head = 0; head < heads; head++) {
        sums[row * heads + head]! += upstream.data[head * tokens ** 2 + pair]!;
        worst = Math.max(worst, Math.abs(bias.data[head * tokens ** 2 + pair]! - table[row * heads + head]!));
      }
    }
    t.is(worst, 0);
    close(t, state.read().table.data, [...sums], 1e-4);
    opened.dispose();
  });
}

for (const positions of ['relative', 'own tables', 'none'] as const) {
  test(`attention that computes probabilities again has the same outputs and gradients (${positions})`, async (t) => {
    const own = config({ positions: positions === 'none' ? 'none' : 'relative' });
    const made = initVit(random(0), own, size);
    const body: Vit<HostTensor> | Classifier<HostTensor>['vit'] =
      positions === 'own tables' ? initClassifier(random(0), made, 2).vit : made;
    type Body<T> = Pick<Vit<T>, 'blocks' | 'relativePositions'>;
    const { blocks, relativePositions } = seededWeights('frugal', body) as unknown as HostOf<Body<tf.Tensor>>;
    const weights = { blocks, ...(relativePositions && { relativePositions }) } as HostOf<Body<tf.Tensor>>;
    const fed = {
      x: between('tokens', [2, 17, 24], -1, 1),
      dy: between('upstream', [2, 17, 24], -1, 1),
      noise: dropPathNoise(0, { step: 3, first: 0 }),
    };
    const both = await compute<
      { [name in keyof typeof fed]: tf.Tensor },
      Record<string, tf.Tensor>,
      Body<tf.Tensor>
    >({ name: 'onnx' }, weights, fed, (frozen, { x, dy, noise }) => {
      const of = (recompute: boolean) => {
        const trained = {
          blocks: frozen.blocks,
          x,
          ...(frozen.relativePositions && { table: frozen.relativePositions }),
        };
        const { loss, gradients } = valueAndGradients(trained, ({ table, x: tokens, ...vit }) => {
          const given = { ...vit, ...(table && { relativePositions: table }) };
          const options = { recompute, dropPath: { rate: 0.3, noise } };
          const outputs = blockOutputs(given, own, tokens, options);
          return { loss: tf.sum<tf.Scalar>(tf.mul(outputs.at(-1)!, dy)), aux: {} };
        });
        const prefix = recompute ? 'again/' : 'kept/';
        const all = leaves<tf.Tensor>({ loss, ...gradients } as unknown as TreeOf<tf.Tensor>);
        return Object.fromEntries(all.map(({ path, leaf }) => [prefix + path.join('/'), leaf]));
      };
      return { ...of(true), ...of(false) };
    });
    const names = Object.keys(both).filter((name) => name.startsWith('kept/'));
    t.is(
      names.some((name) => /able|relativePositions/.test(name)),
      positions !== 'none',
    );
    for (const name of names) {
      const wanted = both[name]!.data;
      const largest = Math.max(...wanted.map(Math.abs));
      t.true(largest > 0, name);
      close(t, both[name.replace('kept', 'again')]!.data, [...wanted], 5e-6 * (1 + largest));
    }
  });
}

test("tables are resized on BEiT's geometric grid as SciPy's interp2d does it", (t) => {
  for (const { before, after, heads, table } of expected.tables) {
    const given = between(`table ${before}`, [(2 * before - 1) ** 2 + 3, heads], -1, 1);
    const resized = resizeRelativePositions(given, before, after);
    t.deepEqual(resized.shape, [(2 * after - 1) ** 2 + 3, heads]);
    // FITPACK finds its coefficients in float64, too; the official code has float32 tables.
    close(t, resized.data, table, 2e-6);
    t.deepEqual(resized.data.slice(-3 * heads), given.data.slice(-3 * heads));
  }
});

test("absolute positions are resized by PyTorch's bicubic interpolation", (t) => {
  for (const { before, after, dim, positions } of expected.positions) {
    const given = between(`positions ${before}`, [1, 1 + before ** 2, dim], -1, 1);
    close(t, resizePositions(given, before, after).data, positions, 1e-6);
  }
});

test('a backbone for images of another size has its weights, and positions for that size', (t) => {
  for (const positions of ['relative', 'absolute', 'none'] as const) {
    const own = config({ positions });
    const backbone = { config: own, imageSize: size, weights: initVit(random(0), own, size) };
    t.is(resizeBackbone(backbone, size), backbone);
    const larger = resizeBackbone(backbone, 24);
    t.is(larger.imageSize, 24);
    const shapes = (tree: unknown) =>
      leaves(tree as HostTree).map(({ path, leaf }) => [path.join('/'), leaf.shape]);
    t.deepEqual(shapes(larger.weights), shapes(initVit(random(1), own, 24)));
    t.is(larger.weights.blocks['0']!.qkv, backbone.weights.blocks['0']!.qkv);
  }
  // From the smallest grids, too: a patch alone, and two a side.
  const table = (side: number) => hostTensor([(2 * side - 1) ** 2 + 3, 1]);
  t.deepEqual(resizeRelativePositions(table(1), 1, 2).shape, [12, 1]);
  t.deepEqual(resizeRelativePositions(table(2), 2, 5).shape, [84, 1]);
});

/** Factors of all branches, [batch, 2 * depth]. */
async function factorsOf(noise: HostTensor, batch: number, depth: number, rate: number): Promise<number[][]> {
  const { all } = await compute<{ noise: tf.Tensor }, { all: tf.Tensor }, object>(
    { name: 'onnx' },
    {},
    { noise },
    (_, fed) => ({
      all: tf.concat(
        dropPathFactors({ rate, noise: fed.noise }, batch, depth).flatMap((pair) =>
          pair.map((factor) => tf.reshape(factor, [batch, 1])),
        ),
        1,
      ),
    }),
  );
  const width = 2 * depth;
  return Array.from({ length: batch }, (_, row) => [...all.data.slice(row * width, (row + 1) * width)]);
}

test('drop path leaves branches out more often the deeper they are, and keeps the mean', async (t) => {
  const [batch, depth, rate] = [4000, 5, 0.4];
  const factors = await factorsOf(dropPathNoise(3, { step: 7, first: 0 }), batch, depth, rate);
  for (let block = 0; block < depth; block++) {
    const kept = 1 - (rate * block) / (depth - 1);
    for (const branch of [2 * block, 2 * block + 1]) {
      const column = factors.map((row) => row[branch]!);
      for (const factor of column) t.true(factor === 0 || Math.abs(factor - 1 / kept) < 1e-6);
      const share = column.filter((factor) => factor > 0).length / batch;
      // Four standard deviations.
      t.true(Math.abs(share - kept) <= 4 * Math.sqrt((kept * (1 - kept)) / batch), `${branch}: ${share}`);
    }
  }
  // The branches of a block are drawn apart.
  t.true(factors.some((row) => row[8] === 0 && row[9]! > 0));
});

test('drop path of an image depends on its place in the step, not on the size of the batch', async (t) => {
  const whole = await factorsOf(dropPathNoise(0, { step: 1, first: 0 }), 6, 3, 0.5);
  const second = await factorsOf(dropPathNoise(0, { step: 1, first: 4 }), 2, 3, 0.5);
  t.deepEqual(second, whole.slice(4));
  t.notDeepEqual(await factorsOf(dropPathNoise(0, { step: 2, first: 0 }), 6, 3, 0.5), whole);
  t.deepEqual(
    (await factorsOf(dropPathNoise(0, { step: 0, first: 0 }), 50, 1, 0.9)).flat(),
    Array(100).fill(1),
    'a block alone is the first one',
  );
});

test('a fresh network starts as BEiT starts it', (t) => {
  const weights = initVit(random(0), config({ dim: 48, heads: 3 }), size);
  const deviation = (values: ArrayLike<number>) =>
    Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0) / values.length);
  // A normal distribution that is cut at one deviation has 0.54 of it.
  const ofCut = 0.02 * Math.sqrt(1 - (2 * Math.exp(-0.5)) / Math.sqrt(2 * Math.PI) / 0.6826894921);
  const near = (tensor: HostTensor, wanted: number) =>
    t.true(Math.abs(deviation(tensor.data) / wanted - 1) < 0.05, `${deviation(tensor.data)}, not ${wanted}`);
  near(weights.patch.weight, ofCut);
  for (const [i, block] of Object.entries(weights.blocks)) {
    near(block.qkv.weight, ofCut);
    near(block.contract.weight, ofCut / Math.sqrt(2 * (Number(i) + 1)));
    near(block.projection.weight, ofCut / Math.sqrt(2 * (Number(i) + 1)));
    t.deepEqual(new Set(block.scale1!.data), new Set([Math.fround(0.1)]));
    t.false('keyBias' in block.qkv);
  }
  t.deepEqual(new Set(weights.relativePositions!.data), new Set([0]));
  const { head, vit: body } = initClassifier(random(1), weights, 10);
  near(head.weight, 0.02 * 0.001);
  t.false('relativePositions' in body || 'norm' in body);
});

test("the pyramid's four maps are those of BEiT's segmentation backbone in PyTorch", async (t) => {
  // Made by tests/fixtures/segmentation/layers.py.
  const { pyramid } = JSON.parse(
    readFileSync(new URL('../../fixtures/segmentation/layers.json', import.meta.url), 'utf8'),
  ) as { readonly pyramid: { readonly [side: string]: readonly { shape: number[]; data: number[] }[] } };
  const dim = 4;
  type Weights = { readonly pyramid: Pyramid<tf.Tensor>; readonly running: RunningStatistics<tf.Tensor> };
  const weights = {
    pyramid: seededWeights('pyramid', initPyramid(random(0), dim)),
    running: batchNormRest({ [pyramidNorm]: dim }).init(),
  } as unknown as HostOf<Weights>;
  for (const [side, maps] of Object.entries(pyramid)) {
    const tokens = Object.fromEntries(
      maps.map((_, i) => [`${i}`, between(`tokens${side}-${i}`, [2, 1 + Number(side) ** 2, dim], -1, 1)]),
    );
    const given = await compute<{ [block: string]: tf.Tensor }, { [map: string]: tf.Tensor }, Weights>(
      { name: 'onnx' },
      weights,
      tokens,
      (frozen, outputs) => {
        const blocks = mapsOf(Object.values(outputs), [1, 2, 3, 4]);
        const made = pyramidOf(frozen.pyramid, blocks, trainingNorms(frozen.running).norm);
        return Object.fromEntries(made.entries());
      },
    );
    for (const [place, { shape, data }] of maps.entries()) {
      t.deepEqual(given[place]!.shape, shape);
      close(t, given[place]!.data, data, 2e-6);
    }
  }
});

test('maps are of the blocks of BEiT-B and BEiT-L where a config says nothing', (t) => {
  t.deepEqual(usualLayers(12), [4, 6, 8, 12]);
  t.deepEqual(usualLayers(24), [8, 12, 16, 24]);
  t.deepEqual(usualLayers(1), [1, 1, 1, 1]);
});

test('the pyramid of ViT-B has 7,081,728 parameters, counted and made', (t) => {
  const made = leaves<HostTensor>(initPyramid(random(0), 12) as never);
  const sum = made.reduce((all, { leaf }) => all + leaf.data.length, 0);
  t.is(pyramidCounts(12, 5).parameters, sum);
  t.is(pyramidCounts(768, 32).parameters, 7_081_728);
});

test('`initDeviation` scales all random weights, and nothing else', (t) => {
  const [narrow, wide] = [0.02, 0.2].map((initDeviation) =>
    leaves(
      initVit(
        random(0, 'vit'),
        config({ positions: 'absolute', initDeviation }),
        size,
      ) as unknown as HostTree,
    ),
  );
  for (const [n, { path, leaf }] of narrow!.entries()) {
    const [data, other] = [leaf.data as Float32Array, wide![n]!.leaf.data as Float32Array];
    const factor = data.every((value) => value === data[0]) ? 1 : 10;
    t.true(
      data.every((value, i) => Math.abs(other[i]! - factor * value) <= 1e-6),
      path.join('/'),
    );
  }
});
