import test from 'ava';
import { psnrOf } from '../../../components/tokenizer/evaluation/psnr.ts';

test('the PSNR of a constant error of 0.1 is 20 dB', (t) => {
  const a = new Uint8Array(2 * 4 * 4 * 3);
  const b = new Float32Array(a.length).fill(0.1);
  t.true(Math.abs(psnrOf(a, b, 4)[1] - 20) < 1e-5);
});

test('a reconstruction that gives every byte its 255th part as float32 has no error', (t) => {
  const bytes = Uint8Array.from({ length: 256 * 3 }, (_, i) => i % 256);
  const [psnr] = psnrOf(
    bytes,
    Float32Array.from(bytes, (byte) => byte / 255),
    16,
  );
  t.is(psnr, 10 * Math.log10((256 * 3) / 1e-12));
});

test('padding around the picture does not count, whatever is there', (t) => {
  // One image of 4 x 4; the picture is the lower right 2 x 3, off by 0.1, the rest is off by 0 or by 9.
  const window = { top: 2, left: 1, height: 2, width: 3 };
  for (const padding of [0, 9]) {
    const error = Float32Array.from({ length: 48 }, (_, i) => {
      const [y, x] = [Math.floor(i / 12), Math.floor(i / 3) % 4];
      return y >= 2 && x >= 1 ? 0.1 : padding;
    });
    t.true(Math.abs(psnrOf(new Uint8Array(48), error, 4, window)[0] - 20) < 1e-5);
  }
});

test('each image has its own, in dB', (t) => {
  const b = Float32Array.of(0.1, 0.1, 0.1, 0.01, 0.01, 0.01);
  const values = psnrOf(new Uint8Array(2 * 3), b, 1);
  t.deepEqual(
    values.map((value) => Number(value.toFixed(4))),
    [20, 40],
  );
});
