import test from 'ava';
import { createRateMeter } from '../../../../framework/run/record/pace.ts';

test('there is no rate before a second point', (t) => {
  const measure = createRateMeter();
  t.deepEqual(measure({ step: 1, of: 100, images: 64, seconds: 0.5 }), {});
  // 9 steps and 576 images in 4.5 s, 90 steps to go.
  t.deepEqual(measure({ step: 10, of: 100, images: 640, seconds: 5 }), {
    imagesPerSecond: 128,
    remainingSeconds: 45,
  });
});

test('a stage that counts no images has a remaining time only', (t) => {
  const measure = createRateMeter();
  measure({ step: 0, of: 4, seconds: 0 });
  t.deepEqual(measure({ step: 1, of: 4, seconds: 2 }), { remainingSeconds: 6 });
});

test('the rate is that of the last seconds, not of the whole stage', (t) => {
  const measure = createRateMeter();
  // 10 seconds at one step a second, then 20 at ten steps a second.
  for (let second = 0; second <= 10; second++)
    measure({ step: second, of: 1000, images: second, seconds: second });
  let last = {};
  for (let second = 1; second <= 20; second++) {
    const step = 10 + second * 10;
    last = measure({ step, of: 1000, images: step, seconds: 10 + second });
  }
  t.deepEqual(last, { imagesPerSecond: 10, remainingSeconds: 79 });
});

test('steps that start again are a new phase', (t) => {
  const measure = createRateMeter();
  measure({ step: 1, of: 10, images: 10, seconds: 1 });
  measure({ step: 10, of: 10, images: 100, seconds: 10 });
  t.deepEqual(measure({ step: 1, of: 50, images: 110, seconds: 30 }), {});
  t.deepEqual(measure({ step: 2, of: 50, images: 120, seconds: 32 }), {
    imagesPerSecond: 5,
    remainingSeconds: 96,
  });
});
