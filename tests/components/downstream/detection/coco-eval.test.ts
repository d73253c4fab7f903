import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { boxRuns, runsOf } from '../../../../components/data/masks/polygon.ts';
import type { Box } from '../../../../components/data/masks/runs.ts';
import { runsOfText } from '../../../../components/data/masks/text.ts';
import type { RunLengths } from '../../../../components/data/targets.ts';
import {
  CocoEvaluation,
  type EvaluatedImage,
} from '../../../../components/downstream/detection/coco-eval/evaluation.ts';
import { boxes, masks } from '../../../../components/downstream/detection/coco-eval/regions.ts';
import type { CocoSummary } from '../../../../components/downstream/detection/coco-eval/summary.ts';

type Mask = string | number[][];
interface Numbers {
  readonly numbers: readonly number[];
  readonly perClass: readonly number[];
}

// Made by pycocotools (tests/fixtures/coco/evaluation.py).
const official = JSON.parse(
  readFileSync(new URL('../../../fixtures/coco/evaluation.json', import.meta.url), 'utf8'),
) as readonly {
  readonly name: string;
  readonly classes: number;
  readonly images: readonly {
    readonly id: number;
    readonly size: readonly [number, number];
    readonly truths: readonly { class: number; box: Box; area: number; crowd: boolean; mask: Mask }[];
    readonly detections: readonly { class: number; box: Box; score: number; mask: Mask }[];
  }[];
  readonly boxes: Numbers;
  readonly masks: Numbers;
  /** Of a test set in which each image is so many times. */
  readonly drawn: {
    readonly times: readonly number[];
    readonly boxes: readonly number[];
    readonly masks: readonly number[];
  };
}[];

const names = [
  'AP',
  'AP50',
  'AP75',
  'APs',
  'APm',
  'APl',
  'AR1',
  'AR10',
  'AR100',
  'ARs',
  'ARm',
  'ARl',
] as const;

/** Evaluations of boxes and masks. @param apart so much lower is the score of each detection of an image than that before it */
function evaluated({ classes, images }: (typeof official)[number], apart = 0) {
  const all = { boxes: new CocoEvaluation(boxes, classes), masks: new CocoEvaluation(masks, classes) };
  for (const { id: imageId, size, truths, detections } of images) {
    const [height, width] = size;
    const runs = (mask: Mask): RunLengths =>
      typeof mask === 'string'
        ? runsOfText(mask, { height, width })
        : runsOf({ outlines: mask }, { height, width });
    const withBoxes = <O extends { box: Box }>(objects: readonly O[]) =>
      objects.map((object) => ({ ...object, region: object.box }));
    const withMasks = <O extends { mask: Mask }>(objects: readonly O[]) =>
      objects.map((object) => ({ ...object, region: runs(object.mask) }));
    const found = detections.map((one, index) => ({ ...one, score: one.score - apart * index }));
    all.boxes.add({ imageId, truths: withBoxes(truths), detections: withBoxes(found) });
    all.masks.add({ imageId, truths: withMasks(truths), detections: withMasks(found) });
  }
  return all;
}

for (const example of official) {
  const { name, drawn } = example;
  test(`pycocotools' numbers: ${name}`, (t) => {
    const [evaluations, distinct] = [evaluated(example), evaluated(example, 1e-9)];
    for (const kind of ['boxes', 'masks'] as const) {
      const summary = evaluations[kind].summary();
      for (const [i, number] of example[kind].numbers.entries())
        close(t, summary.numbers[names[i]], number, `${names[i]} of ${kind}`);
      for (const [i, number] of example[kind].perClass.entries())
        close(t, summary.perClass[i], number, `class ${i} of ${kind}`);
      const { numbers } = distinct[kind].summary(Int32Array.from(drawn.times));
      for (const [i, number] of drawn[kind].entries())
        close(t, numbers[names[i]], number, `${names[i]} of ${kind} of a drawn test set`);
    }
  });
}

function close(
  t: { true(is: boolean, message: string): void },
  value: number | undefined,
  expected: number,
  what: string,
) {
  t.true(Math.abs((value ?? -1) - expected) < 1e-9, `${what}: ${value}, not ${expected}`);
}

const box = fc.tuple(
  fc.nat(60),
  fc.nat(60),
  fc.integer({ min: 1, max: 60 }),
  fc.integer({ min: 1, max: 60 }),
);
const truth = fc
  .record({ class: fc.nat(2), region: box, crowd: fc.boolean() })
  .map((object) => ({ ...object, area: object.region[2] * object.region[3] }));
const detection = fc.record({ class: fc.nat(2), region: box, score: fc.constantFrom(0.1, 0.4, 0.5, 0.9) });
const scenes = fc
  .array(
    fc.record({
      truths: fc.array(truth, { maxLength: 4 }),
      detections: fc.array(detection, { maxLength: 6 }),
      found: fc.array(fc.constantFrom(0.1, 0.4, 0.5, 0.9), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((images) =>
    images.map(({ truths, detections, found }, imageId): EvaluatedImage<Box> => {
      // So that something is right.
      const right = found.flatMap((score, i) => (truths[i] ? [{ ...truths[i], score }] : []));
      return { imageId, truths, detections: [...detections, ...right] };
    }),
  );

function summaryOf(images: readonly EvaluatedImage<Box>[]): CocoSummary {
  const evaluation = new CocoEvaluation(boxes, 3);
  for (const image of images) evaluation.add(image);
  return evaluation.summary();
}

test('neither the order of images nor the scale of scores changes a number', (t) => {
  const all = fc.property(scenes, (images) => {
    const expected = summaryOf(images);
    t.deepEqual(summaryOf([...images].reverse()), expected);
    const rescored = images.map((image) => ({
      ...image,
      detections: image.detections.map((found) => ({ ...found, score: 3 * found.score ** 3 - 7 })),
    }));
    t.deepEqual(summaryOf(rescored), expected);
    const evaluation = new CocoEvaluation(boxes, 3);
    for (const image of images) evaluation.add(image);
    t.is(evaluation.images, images.length);
    t.throws(() => evaluation.add(images[0]), { message: /image 0 has been evaluated/ });
  });
  fc.assert(all, { seed: 5, numRuns: 40 });
});

test('numbers lie in [0, 1]; whole boxes are as good as their masks', (t) => {
  const size = { height: 120, width: 120 };
  const all = fc.property(scenes, (images) => {
    const { numbers, perClass } = summaryOf(images);
    for (const number of [...Object.values(numbers), ...perClass])
      t.true(number === undefined || (number >= 0 && number <= 1 + 1e-12));
    const evaluation = new CocoEvaluation(masks, 3);
    const drawn = <O extends { region: Box }>(object: O) => ({
      ...object,
      region: boxRuns(object.region, size),
    });
    for (const { imageId, truths, detections } of images)
      evaluation.add({ imageId, truths: truths.map(drawn), detections: detections.map(drawn) });
    t.deepEqual(evaluation.summary().numbers, numbers);
  });
  fc.assert(all, { seed: 6, numRuns: 25 });
});

test('who finds all objects and nothing else has 1; what is sure and wrong costs precision, not recall', (t) => {
  const all = fc.property(scenes, (images) => {
    const perfect = images.map(({ imageId, truths }) => ({
      imageId,
      truths,
      detections: truths.map((object) => ({ ...object, score: 0.5 })),
    }));
    const { numbers } = summaryOf(perfect);
    for (const name of ['AP', 'AP50', 'AP75', 'AR10', 'AR100'] as const)
      if (numbers[name] !== undefined) t.true(Math.abs(numbers[name] - 1) < 1e-9, name);
    const region = [500, 500, 30, 30] as const;
    const wrong = perfect.map((image) => ({
      ...image,
      detections: [...image.detections, ...[0, 1, 2].map((index) => ({ class: index, region, score: 1 }))],
    }));
    const worse = summaryOf(wrong).numbers;
    t.deepEqual(worse.AR100, numbers.AR100);
    if (numbers.AP !== undefined) t.true(worse.AP! < numbers.AP);
  });
  fc.assert(all, { seed: 7, numRuns: 25 });
});

test('classes, scores and boxes that are none are refused', (t) => {
  const evaluation = new CocoEvaluation(boxes, 2);
  const add = (change: object) =>
    t.throws(
      () =>
        evaluation.add({
          imageId: 7,
          truths: [],
          detections: [{ class: 0, region: [0, 0, 1, 1], score: 0.5, ...change }],
        }),
      { instanceOf: RangeError },
    )?.message;
  t.snapshot([
    add({ class: 2 }),
    add({ class: -1 }),
    add({ score: Number.NaN }),
    add({ region: [0, 0, Number.NaN, 1] }),
  ]);
});
