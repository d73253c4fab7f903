import test from 'ava';
import { classBalancedSubset } from '../../../components/data/batches.ts';
import { subset } from '../../../components/data/subset.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { topOne } from '../../../components/downstream/classify.ts';
import { layerScale } from '../../../components/downstream/finetune/model.ts';
import { linearTopOne, quietly } from '../../../components/downstream/linear.ts';
import { balancedSubset } from '../../../components/downstream/start.ts';
import { openEngine } from '../../../components/engine/open.ts';

test('layer-wise decay: embeddings are layer 0, block i is i + 1, the head keeps its rate', (t) => {
  t.is(layerScale(['vit', 'positions'], 2, 0.5), 0.125);
  t.is(layerScale(['vit', 'blocks', '0', 'qkv', 'weight'], 2, 0.5), 0.25);
  t.is(layerScale(['vit', 'blocks', '1', 'qkv', 'weight'], 2, 0.5), 0.5);
  t.is(layerScale(['head', 'weight'], 2, 0.5), 1);
});

test('top-1 counts rows whose largest entry is the label', (t) => {
  t.is(topOne(Float32Array.of(1, 2, 5, 0, 3, 4), 2, Int32Array.of(1, 0, 0)), 2 / 3);
});

test('a balanced subset has the same number of each class and refuses what is not there', (t) => {
  const labels = Int32Array.from({ length: 60 }, (_, i) => i % 3);
  const chosen = balancedSubset(labels, 3, 30, 1);
  for (const label of [0, 1, 2]) t.is([...chosen].filter((i) => labels[i] === label).length, 10);
  t.is(new Set(chosen).size, 30);
  t.notDeepEqual(chosen, balancedSubset(labels, 3, 30, 2));
  t.throws(() => balancedSubset(labels, 3, 90, 1), { message: /lower `labels`/ });
});

test('labels above a byte keep their class: in subsets, balanced subsets and top-1', (t) => {
  for (const classes of [301, 70_001]) {
    const labels = Int32Array.from({ length: 2 * classes }, (_, i) => i % classes);
    const data: Dataset = {
      name: 'many classes',
      count: labels.length,
      size: 1,
      channels: 3,
      classes: Array.from({ length: classes }, (_, label) => String(label)),
      labels,
      read: (indices) => new Float32Array(indices.length * 3),
    };
    const last = classes - 1;
    t.deepEqual(subset(data, Int32Array.of(last, 0)).labels, Int32Array.of(last, 0));
    for (const chosen of [
      balancedSubset(labels, classes, classes, 0),
      classBalancedSubset(labels, classes, 0),
    ]) {
      t.is(new Set(subset(data, chosen).labels).size, classes);
    }
    const row = new Float32Array(classes);
    row[last] = 1;
    t.is(topOne(row, classes, Int32Array.of(last)), 1);
    t.is(topOne(row, classes, Int32Array.of(last % 256)), 0);
  }
});

test('the linear classifier separates separable rows and not shuffled labels', async (t) => {
  const engine = await openEngine({ threads: 1 });
  const quiet = quietly(new AbortController().signal);
  const rows = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i * 12.9898) * 3);
  const labels = Int32Array.from({ length: 200 }, (_, i) => (rows[2 * i] + 2 * rows[2 * i + 1] > 0 ? 1 : 0));
  const options = { width: 2, classes: 2, steps: 200, learningRate: 0.05, weightDecay: 0 };
  t.true((await linearTopOne(quiet, engine, { rows, labels }, { rows, labels }, options)) > 0.97);
  const chance = Int32Array.from({ length: 200 }, (_, i) => (i * 7919) % 2);
  t.true(
    (await linearTopOne(quiet, engine, { rows, labels: chance }, { rows, labels: chance }, options)) < 0.75,
  );
  engine.dispose();
});
