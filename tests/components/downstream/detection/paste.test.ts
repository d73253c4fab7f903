import { readFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { maskOverlaps, measure } from '../../../../components/data/masks/overlap.ts';
import { encodeMask, maskArea, maskBox } from '../../../../components/data/masks/runs.ts';
import { textOfRuns } from '../../../../components/data/masks/text.ts';
import { poolMasks } from '../../../../components/downstream/detection/model/pooling.ts';
import { type Corners, pasteMask } from '../../../../components/downstream/detection/paste.ts';

// Made by PyTorch (tests/fixtures/coco/paste.py).
const cases = JSON.parse(
  readFileSync(new URL('../../../fixtures/coco/paste.json', import.meta.url), 'utf8'),
) as readonly { size: [number, number]; box: Corners; mask: number[]; runs: string }[];

test("masks of detections have the pixels of detectron2's paste_masks_in_image", (t) => {
  for (const { size, box, mask, runs } of cases) {
    const [height, width] = size;
    const pasted = pasteMask(
      Float32Array.from(mask, (value) => value / 1000),
      box,
      { height, width },
    );
    t.is(textOfRuns(pasted), runs, `${box} in ${size}`);
  }
});

test('a box without area has an empty mask', (t) => {
  const whole = new Float32Array(16).fill(1);
  for (const box of [
    [3, 3, 3, 5],
    [3, 3, 1, 5],
    [50, 50, 60, 60],
  ] as const)
    t.is(maskArea(pasteMask(whole, box, { height: 9, width: 9 })), 0);
});

test('what is learnt of a mask lies where it is pasted: small objects come back whole', async (t) => {
  await tf.setBackend('cpu');
  const size = { height: 32, width: 32 };
  for (const [top, left, radius] of [
    [12, 15, 4.5],
    [20, 9, 8],
    [16, 16, 12],
  ] as const) {
    const inside = (at: number) => Math.hypot(Math.floor(at / 32) - top, (at % 32) - left) < radius;
    const truth = encodeMask(
      Uint8Array.from({ length: 32 * 32 }, (_, at) => Number(inside(at))),
      size,
    );
    const [x, y, width, height] = maskBox(truth);
    const corners: Corners = [x, y, x + width, y + height];
    const bitmap = Float32Array.from({ length: 32 * 32 }, (_, at) => Number(inside(at)));
    const learnt = poolMasks(tf.tensor3d(bitmap, [1, 32, 32]), tf.tensor2d([[...corners]]), 28);
    const pasted = pasteMask(learnt.dataSync<'float32'>(), corners, size);
    const [overlap] = maskOverlaps([measure(pasted)], [measure(truth)], [false]);
    t.true(overlap! > 0.96, `radius ${radius}: ${overlap}`);
  }
});
