/** Evaluates `truths.json` and `results.jsonl` of a folder, image by image; prints seconds of processor time, peak memory and the numbers. */
import { createReadStream, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { runsOf } from '../../../components/data/masks/polygon.ts';
import type { Box } from '../../../components/data/masks/runs.ts';
import { runsOfText } from '../../../components/data/masks/text.ts';
import { CocoEvaluation } from '../../../components/downstream/detection/coco-eval/evaluation.ts';
import { boxes, masks } from '../../../components/downstream/detection/coco-eval/regions.ts';

interface Annotation {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: Box;
  readonly area: number;
  readonly iscrowd: number;
  readonly segmentation: number[][] | { readonly counts: number[] };
}

interface Result {
  readonly category_id: number;
  readonly bbox: Box;
  readonly score: number;
  readonly segmentation: { readonly counts: string };
}

/** Milliseconds of processor time: what else the machine does counts less. */
function now(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const dir = process.argv[2];
const begin = now();
const truths = JSON.parse(readFileSync(path.join(dir, 'truths.json'), 'utf8')) as {
  images: { id: number; height: number; width: number }[];
  categories: unknown[];
  annotations: Annotation[];
};
const byImage = new Map<number, Annotation[]>(truths.images.map(({ id }) => [id, []]));
for (const annotation of truths.annotations) byImage.get(annotation.image_id)!.push(annotation);
const lines = createInterface({ input: createReadStream(path.join(dir, 'results.jsonl')) })[
  Symbol.asyncIterator
]();
const byBox = new CocoEvaluation(boxes, truths.categories.length);
const byMask = new CocoEvaluation(masks, truths.categories.length);
let [reading, boxTime, maskTime] = [now() - begin, 0, 0];
for (const { id: imageId, height, width } of truths.images) {
  const start = now();
  const results = JSON.parse((await lines.next()).value) as Result[];
  const annotations = byImage.get(imageId) ?? [];
  const read = now();
  const truth = ({ category_id, area, iscrowd }: Annotation) =>
    ({ class: category_id - 1, area, crowd: iscrowd === 1 }) as const;
  byBox.add({
    imageId,
    truths: annotations.map((one) => ({ ...truth(one), region: one.bbox })),
    detections: results.map(({ category_id, score, bbox }) => ({
      class: category_id - 1,
      score,
      region: bbox,
    })),
  });
  const boxed = now();
  const size = { height, width };
  byMask.add({
    imageId,
    truths: annotations.map((one) => {
      const { segmentation } = one;
      const mask = Array.isArray(segmentation)
        ? { outlines: segmentation }
        : { ...size, counts: Uint32Array.from(segmentation.counts) };
      return { ...truth(one), region: runsOf(mask, size) };
    }),
    detections: results.map(({ category_id, score, segmentation }) => ({
      ...{ class: category_id - 1, score },
      region: runsOfText(segmentation.counts, size),
    })),
  });
  const masked = now();
  reading += read - start;
  boxTime += boxed - read;
  maskTime += masked - boxed;
}
const matched = now();
const boxSummary = byBox.summary();
const boxEnd = now();
const maskSummary = byMask.summary();
const maskEnd = now();
process.stdout.write(
  JSON.stringify({
    seconds: {
      read: reading / 1000,
      boxes: (boxTime + boxEnd - matched) / 1000,
      masks: (maskTime + maskEnd - boxEnd) / 1000,
    },
    peak: process.resourceUsage().maxRSS * 1024,
    numbers: [...Object.values(boxSummary.numbers), ...Object.values(maskSummary.numbers)],
  }),
);
