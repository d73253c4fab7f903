/**
 * Draws docs/images/composites.png: scenes of both splits, each beside itself with masks, boxes and classes.
 *
 *     npx tsx components/data/readers/composites/make-picture.ts [FILE]
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decode } from '../../decode/decode.ts';
import { decodeMask } from '../../masks/runs.ts';
import { type Canvas, canvasOf, encodePng, gridOf, rescaled } from '../../picture/canvas.ts';
import { colourOf, lineHeight, outlineBox, overlayMask, writeText } from '../../picture/draw.ts';
import type { ImageInstances } from '../../targets.ts';
import type { Dataset, ImageBytes } from '../../types.ts';
import { composites } from './config.ts';
import { load } from './load.ts';

const enlarged = 2;
const scenes = { columns: 4, rows: 1 };

/** A scene, and the same with what is known of it. */
async function draw(data: Dataset<ImageInstances>, index: number): Promise<[Canvas, Canvas]> {
  const image = (await data.image(index)) as Extract<ImageBytes, { format: 'raw' }>;
  const plain = rescaled(canvasOf(await decode(image)), enlarged);
  const small = canvasOf(await decode(image));
  const { instances } = await data.target(index);
  for (const { mask, class: label } of instances) {
    if (mask && 'counts' in mask) overlayMask(small, decodeMask(mask), colourOf(label));
  }
  const marked = rescaled(small, enlarged);
  for (const { box, class: label } of instances) {
    const [x, y, width, height] = box.map((value) => value * enlarged) as [number, number, number, number];
    outlineBox(marked, [x, y, x + width, y + height], colourOf(label));
    const top = Math.max(0, y - lineHeight);
    writeText(marked, data.classes[label]!, { left: x, top, ground: colourOf(label) });
  }
  return [plain, marked];
}

const rows: Canvas[][] = [];
for (const split of ['train', 'test'] as const) {
  const { kind, config, files } = composites({ split, target: 'instances', size: 96 });
  const input = { kind, config, files, dir: '', inputs: {}, load: () => Promise.reject(new Error(kind)) };
  const data = (await load(input as never)) as Dataset<ImageInstances>;
  for (let row = 0; row < scenes.rows; row++) {
    const indices = Array.from({ length: scenes.columns }, (_, n) => row * scenes.columns + n);
    rows.push((await Promise.all(indices.map((index) => draw(data, index)))).flat());
  }
}
const picture = fileURLToPath(new URL('../../../../docs/images/composites.png', import.meta.url));
writeFileSync(process.argv[2] ?? picture, encodePng(gridOf(rows)));
