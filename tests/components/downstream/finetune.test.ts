import test from 'ava';
import { classBalancedSubset } from '../../../components/data/order.ts';
import { subset } from '../../../components/data/subset.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { layerScale } from '../../../components/downstream/finetune/model.ts';
import { countRight } from '../../../components/training/classify.ts';

test('layer-wise decay: embeddings are layer 0, block i is i + 1, the head keeps its rate', (t) => {
  t.is(layerScale(['vit', 'positions'], 2, 0.5), 0.125);
  t.is(layerScale(['vit', 'blocks', '0', 'qkv', 'weight'], 2, 0.5), 0.25);
  t.is(layerScale(['vit', 'blocks', '1', 'qkv', 'weight'], 2, 0.5), 0.5);
  t.is(layerScale(['head', 'weight'], 2, 0.5), 1);
});

test('a row is right if its largest entry, the first of equals, is the label', (t) => {
  t.is(countRight(Float32Array.of(1, 2, 5, 0, 3, 4), [1, 0, 0]), 2);
  t.is(countRight(Float32Array.of(2, 2, 2, 2), [0, 1]), 1);
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
    t.is(new Set(subset(data, classBalancedSubset(labels, classes, 0)).labels).size, classes);
    const row = new Float32Array(classes);
    row[last] = 1;
    t.is(countRight(row, [last]), 1);
    t.is(countRight(row, [last % 256]), 0);
  }
});
