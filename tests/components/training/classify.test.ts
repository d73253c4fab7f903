import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { plainView } from '../../../components/data/views/view.ts';
import { openEngine } from '../../../components/engine/open.ts';
import { forward } from '../../../components/training/classify.ts';
import { imagesOf } from '../../support/images.ts';

test('what is no row for each image is refused when it is compiled', async (t) => {
  const engine = await openEngine({ name: 'reference' });
  const applied = (apply: (images: tf.Tensor) => tf.Tensor) => {
    const rows: number[] = [];
    const options = { name: 'features', state: engine.state({}), view: plainView, batchSize: 2, workers: 0 };
    const done = forward(engine, imagesOf(Uint8Array.of(0, 51, 255), { size: 1, channels: 1 }), {
      ...options,
      apply: (_, images) => apply(images),
      signal: new AbortController().signal,
      onRows: ({ values }) => void rows.push(...values),
    });
    return done.then(() => rows);
  };
  const grey = (images: tf.Tensor) => tf.max(images, [1, 2, 3]);
  t.deepEqual(await applied((images) => tf.expandDims(grey(images), 1)), [0, Math.fround(0.2), 1]);
  const refused = (message: RegExp) => ({ message });
  await t.throwsAsync(applied(grey), refused(/`apply` gives float32 \[2\] for 2 images/));
  await t.throwsAsync(
    applied((images) => tf.mean(images)),
    refused(/gives float32 \[\] for 2 images/),
  );
  await t.throwsAsync(
    applied((images) => images),
    refused(/gives float32 \[2, 1, 1, 3\] for 2 images/),
  );
  engine.dispose();
});
