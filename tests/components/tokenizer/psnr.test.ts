import test from 'ava';
import { meanPsnr } from '../../../components/tokenizer/evaluation/psnr.ts';

test('the PSNR of a constant error of 0.1 is 20 dB', (t) => {
  const a = new Float32Array(2 * 4 * 4 * 3);
  const b = a.map(() => 0.1);
  t.true(Math.abs(meanPsnr(a, b, { size: 4 }) - 20) < 1e-5);
});

test('padding around the picture does not count, whatever is there', (t) => {
  // One image of 4 x 4; the picture is the lower right 2 x 3, off by 0.1, the rest is off by 0 or by 9.
  const window = { top: 2, left: 1, height: 2, width: 3 };
  for (const padding of [0, 9]) {
    const error = Float32Array.from({ length: 48 }, (_, i) => {
      const [y, x] = [Math.floor(i / 12), Math.floor(i / 3) % 4];
      return y >= 2 && x >= 1 ? 0.1 : padding;
    });
    t.true(Math.abs(meanPsnr(new Float32Array(48), error, { size: 4, window }) - 20) < 1e-5);
  }
});

test('the mean is that of the images in dB, not of their errors', (t) => {
  const a = new Float32Array(2 * 3);
  const b = Float32Array.of(0.1, 0.1, 0.1, 0.01, 0.01, 0.01);
  t.true(Math.abs(meanPsnr(a, b, { size: 1 }) - 30) < 1e-4);
});
