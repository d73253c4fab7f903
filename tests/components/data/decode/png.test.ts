import test from 'ava';
import { PNG } from 'pngjs';
import { encodeGrid } from '../../../../components/data/decode/png.ts';

test('images are laid out in rows, clipped, and encoded as RGB', (t) => {
  // Three 1x1 images in two columns: the fourth place stays black.
  const bytes = encodeGrid(Float32Array.of(1, 0, 0.5, -3, 2, 0, 0.2, 0.4, 0.6), { size: 1, columns: 2 });
  const { width, height, data } = PNG.sync.read(bytes);
  t.deepEqual([width, height], [2, 2]);
  t.deepEqual([...data], [255, 0, 128, 255, 0, 255, 0, 255, 51, 102, 153, 255, 0, 0, 0, 255]);
});

test('bytes are encoded as they are', (t) => {
  const { data } = PNG.sync.read(encodeGrid(Uint8Array.of(0, 1, 128, 255, 254, 3), { size: 1 }));
  t.deepEqual([...data], [0, 1, 128, 255, 255, 254, 3, 255]);
});

test('pixels of an image stay together', (t) => {
  const images = Float32Array.from({ length: 2 * 4 * 3 }, (_, i) => Math.floor(i / 3) / 10);
  const { data } = PNG.sync.read(encodeGrid(images, { size: 2 }));
  const reds = Array.from({ length: 8 }, (_, i) => Math.round(data[i * 4] / 25.5));
  t.deepEqual(reds, [0, 1, 4, 5, 2, 3, 6, 7]);
});

test('values that are not whole images are refused', (t) => {
  t.throws(() => encodeGrid(new Float32Array(13), { size: 2 }), { instanceOf: RangeError });
});
