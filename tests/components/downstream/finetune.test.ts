import { mkdirSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { balancedSubset, labelsOf, subset } from '../../../components/data/subset.ts';
import { layersAfter } from '../../../components/downstream/body.ts';
import type { Classifying } from '../../../components/downstream/finetune/measure.ts';
import { measureTest } from '../../../components/downstream/finetune/measure-test.ts';
import { hostTensor } from '../../../components/nn/tree.ts';
import { countOnes, rightRows } from '../../../components/training/right.ts';
import { imagesOf } from '../../support/images.ts';
import { createProject } from '../../support/project.ts';

test('layer-wise decay: embeddings are layer 0, block i is i + 1, the head keeps its rate', (t) => {
  t.is(layersAfter(['vit', 'positions'], 2), 3);
  t.is(layersAfter(['vit', 'patch', 'weight'], 2), 3);
  // A table of one block has its rate; one that all share that of the head.
  t.is(layersAfter(['vit', 'blocks', '0', 'relativePositions'], 2), 2);
  t.is(layersAfter(['vit', 'relativePositions'], 2), 0);
  t.is(layersAfter(['vit', 'blocks', '0', 'qkv', 'weight'], 2), 2);
  t.is(layersAfter(['vit', 'blocks', '1', 'qkv', 'weight'], 2), 1);
  t.is(layersAfter(['head', 'weight'], 2), 0);
});

test('a row is right if its largest entry, the first of equals, is the label', (t) => {
  t.deepEqual([...rightRows(Float32Array.of(1, 2, 5, 0, 3, 4), [1, 0, 0])], [1, 1, 0]);
  t.deepEqual([...rightRows(Float32Array.of(2, 2, 2, 2), [0, 1])], [1, 0]);
});

test('a row counts for the first five if fewer than five entries come before that of its label', (t) => {
  const row = Float32Array.of(6, 5, 4, 3, 2, 1, 0);
  t.deepEqual(
    [0, 3, 4, 5].map((label) => countOnes(rightRows(row, [label], 5))),
    [1, 1, 1, 0],
  );
  // Equals count in their order.
  t.deepEqual(
    [0, 1, 2].map((label) => countOnes(rightRows(Float32Array.of(1, 1, 1), [label], 2))),
    [1, 1, 0],
  );
});

test('labels above a byte keep their class: in subsets, balanced subsets and top-1', async (t) => {
  for (const classes of [301, 70_001]) {
    const data = imagesOf(new Uint8Array(2 * classes), {
      size: 1,
      channels: 1,
      classes: Array.from({ length: classes }, (_, label) => String(label)),
    });
    const last = classes - 1;
    t.deepEqual(await labelsOf(subset(data, Int32Array.of(last, 0))), Int32Array.of(last, 0));
    t.is(new Set(await labelsOf(await balancedSubset(data, classes, 0))).size, classes);
    const row = new Float32Array(classes);
    row[last] = 1;
    t.deepEqual([...rightRows(row, [last]), ...rightRows(row, [last % 256])], [1, 0]);
  }
});

test('batches that were counted before a stop are not looked at again; those of other weights are', async (t) => {
  const { dir } = createProject(t, {});
  const data = imagesOf(new Uint8Array(5), { size: 1, channels: 1, classes: ['a', 'b'] });
  const asked: number[] = [];
  const classifying = (end: number): Classifying => ({
    batchSize: 2,
    async over(_, onBatch, from = 0) {
      for (let image = from; image < 5; image += 2) {
        if (image >= end) throw new Error('stopped');
        asked.push(image);
        // Of two images the second is right: the first five have it, and outside of the second batch also the first.
        const right = image === 4 ? Uint8Array.of(1) : Uint8Array.of(0, 1);
        await onBatch({ top1: image === 2 ? Uint8Array.of(0, 0) : right, top5: right });
      }
    },
  });
  const attempt = (name: string, end: number, value = 1) => {
    const workDir = path.join(dir, name);
    mkdirSync(workDir, { recursive: true });
    const weights = { head: hostTensor([1], Float32Array.of(value)) } as never;
    return measureTest({ workDir }, data, classifying(end), { engine: 'onnx', weights });
  };
  const right = Uint8Array.of(0, 1, 0, 0, 1);
  t.deepEqual(await attempt('whole', 5), { top1: 2 / 5, top5: 3 / 5, right });
  asked.length = 0;
  await t.throwsAsync(attempt('parts', 3), { message: 'stopped' });
  t.deepEqual(await attempt('parts', 5), { top1: 2 / 5, top5: 3 / 5, right });
  t.deepEqual(asked, [0, 2, 4]);
  await t.throwsAsync(attempt('parts', 0, 2), { message: 'stopped' });
});
