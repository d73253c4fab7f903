import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { enlarge } from '../../../components/perceptual/enlarge.ts';

test('nearest repeats pixels', (t) => {
  const x = tf.tensor4d([1, 10, 2, 20, 3, 30, 4, 40], [1, 2, 2, 2]);
  const y = enlarge(x, 2, 'nearest');
  t.deepEqual(y.shape, [1, 4, 4, 2]);
  const [first] = tf.unstack(y, 3);
  t.deepEqual([...first.dataSync()], [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
});

test('bilinear has pixel centres at half integers', (t) => {
  // torch.nn.functional.interpolate(tensor([[[0, 4, 8]]]), scale_factor=2, mode='linear', align_corners=False)
  const y = enlarge(tf.tensor4d([0, 4, 8], [1, 1, 3, 1]), 2, 'bilinear');
  t.deepEqual([...y.dataSync()], [0, 1, 3, 5, 7, 8, 0, 1, 3, 5, 7, 8]);
});

test('images that are not square agree with an op of tfjs', (t) => {
  const x = tf.randomUniform<tf.Rank.R4>([2, 3, 5, 3], 0, 1, 'float32', 7);
  for (const [mode, op] of [
    ['bilinear', tf.image.resizeBilinear],
    ['nearest', tf.image.resizeNearestNeighbor],
  ] as const) {
    const error = tf.max(tf.abs(tf.sub(enlarge(x, 3, mode), op(x, [9, 15], false, true)))).dataSync()[0];
    t.true(error < 1e-6, `${mode}: ${error}`);
  }
});
