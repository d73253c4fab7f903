import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import test from 'ava';
import { openEngine } from '../../../components/engine/open.ts';
import { bytesTensor, hostTensor } from '../../../components/nn/tree.ts';
import { unit } from '../../../components/nn/unit.ts';

const bytes = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
/** Rounded to float32 once: what the engines got when the host made floats of bytes. */
const exact = Float32Array.from(bytes, (byte) => byte / 255);

for (const name of ['onnx', 'reference', 'wasm']) {
  test(`${name}: each byte becomes the float32 nearest to its 255th part`, async (t) => {
    const engine = await openEngine({ name });
    const program = await engine.compile<object, { images: Tensor }, { pixels: Tensor; moved: Tensor }>({
      name: 'unit',
      state: engine.state<object>({}),
      batch: { images: { dtype: 'uint8', shape: [4, 8, 8, 3] } },
      step: (state, { images }) => ({
        state,
        // The second in another layout, as convolutions want it.
        out: { pixels: unit(images), moved: unit(tf.transpose(images, [0, 3, 1, 2])) },
      }),
    });
    const { pixels, moved } = await program.run({ images: bytesTensor([4, 8, 8, 3], bytes) });
    t.deepEqual(pixels, hostTensor([4, 8, 8, 3], exact));
    const places = Array.from({ length: moved.data.length }, (_, i) => {
      const [image, channel, place] = [Math.floor(i / 192), Math.floor(i / 64) % 3, i % 64];
      return exact[(image * 64 + place) * 3 + channel];
    });
    t.deepEqual([...moved.data], places);
    engine.dispose();
  });
}

test('numbers in [0, 1] are left as they are', (t) => {
  const numbers = tf.tensor4d(exact, [4, 8, 8, 3]);
  t.is(unit(numbers), numbers);
});
