import { readFileSync } from 'node:fs';
import test from 'ava';
import { maskArea } from '../../../../components/data/masks/runs.ts';
import { textOfRuns } from '../../../../components/data/masks/text.ts';
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
