import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { vit } from '../../../../components/backbone/config.ts';
import { initVit } from '../../../../components/backbone/init.ts';
import { encodeMask } from '../../../../components/data/masks/runs.ts';
import { runsOfText } from '../../../../components/data/masks/text.ts';
import { composites } from '../../../../components/data/readers/composites/config.ts';
import { load } from '../../../../components/data/readers/composites/load.ts';
import type { ImageInstances } from '../../../../components/data/targets.ts';
import type { Dataset } from '../../../../components/data/types.ts';
import { CocoEvaluation } from '../../../../components/downstream/detection/coco-eval/evaluation.ts';
import { masks } from '../../../../components/downstream/detection/coco-eval/regions.ts';
import { type MaskRcnnConfig, maskRcnn } from '../../../../components/downstream/detection/config.ts';
import { detectorCounts } from '../../../../components/downstream/detection/costs.ts';
import { detectionsOf } from '../../../../components/downstream/detection/detections.ts';
import type { Finder } from '../../../../components/downstream/detection/find.ts';
import { measureTest } from '../../../../components/downstream/detection/measure-test.ts';
import { initDetector } from '../../../../components/downstream/detection/model/detector.ts';
import { run } from '../../../../components/downstream/detection/stage.ts';
import { random } from '../../../../components/nn/random.ts';
import { type HostTree, hostTensor, leaves } from '../../../../components/nn/tree.ts';
import type { StageFunction } from '../../../../framework/stage/contract.ts';
import { createProject } from '../../../support/project.ts';
import { leafInput } from '../../../support/stage-input.ts';
import { attemptStage } from '../../../support/stage-runner.ts';

const scenes = composites({
  ...{ split: 'train', target: 'instances', size: 32, count: 4 },
  ...{ objects: [1, 1], clutter: [0, 0], area: [0.3, 0.4] },
});

/** As small as it can be, and learns by heart. */
const tiny = maskRcnn({
  backbone: vit({ dim: 32, depth: 2, heads: 2, patch: 8 }),
  ...{ steps: 36, batchSize: 4, learningRate: 3e-3, warmup: 2, schedule: { kind: 'cosine' }, clipNorm: 1 },
  ...{ dropPath: 0, layerDecay: 1, weightDecay: 0, view: { flip: 0, maxInstances: 2 }, fpnChannels: 16 },
  rpn: { before: { train: 32, test: 32 }, after: { train: 16, test: 16 }, samples: 32 },
  boxHead: { size: 3, width: 32, samples: 16, positives: 0.5 },
  maskHead: { size: 7, convolutions: 1, channels: 16 },
});

test('a few scenes are learnt by heart; stopped and resumed, the same bytes are put out', async (t) => {
  t.deepEqual(tiny.issues, []);
  const { dir } = createProject(t, {});
  const data = { ...leafInput(scenes), load: () => load(leafInput(scenes)) };
  const attempt = (name: string, stopAt?: number) =>
    attemptStage(run as unknown as StageFunction<never>, {
      ...{ dir, name, config: tiny.config, inputs: { train: data, test: data } },
      ...(stopAt === undefined ? {} : { stopAt }),
    });
  const whole = await attempt('whole');
  const losses = whole.shown.flatMap(({ values }) => values?.loss ?? []);
  t.true(losses.at(-1)! < 0.6 * losses[0]!, `${losses}`);
  t.true(whole.metrics.boxAP50! > 0.5 && whole.metrics.maskAP50! > 0.5, JSON.stringify(whole.metrics));
  t.is((await attempt('parts', 18)).end, 'stopped');
  const parts = await attempt('parts');
  t.is(parts.past.resumedFrom, 18);
  t.deepEqual(Object.keys(parts.files), [
    ...['detections.json', 'detector.json', 'detector.safetensors'],
    ...['metrics.jsonl', 'predictions.png', 'truth.png'],
  ]);
  t.deepEqual(
    Object.keys(whole.files).filter((name) => parts.files[name] !== whole.files[name]),
    [],
  );
  t.deepEqual(parts.metrics, whole.metrics);

  // What is written is what was measured.
  const written = JSON.parse(Buffer.from(whole.files['detections.json']!, 'hex').toString()) as {
    image_id: number;
    category_id: number;
    score: number;
    segmentation: { size: [number, number]; counts: string };
  }[];
  const again = new CocoEvaluation(masks, 10);
  const { count, target } = (await data.load()) as Dataset<ImageInstances>;
  for (let index = 0; index < count; index++) {
    const { imageId, instances } = await target(index);
    const detections = written.flatMap(({ image_id, category_id, score, segmentation: { size, counts } }) => {
      const [height, width] = size;
      const region = runsOfText(counts, { height, width });
      return image_id === imageId ? [{ class: category_id - 1, score, region }] : [];
    });
    const truths = instances.map((one) => ({ ...one, region: one.mask as never }));
    again.add({ imageId, truths, detections });
  }
  t.is(again.summary().numbers.AP, whole.metrics.maskAP);
});

const half = encodeMask(Uint8Array.of(1, 1, 0, 0), { height: 2, width: 2 });

/** Five images of 2 x 2 pixels with one object each. */
const images: Dataset<ImageInstances> = {
  ...{ name: 'images', count: 5, classes: ['a', 'b'], classNumbers: [7, 9] },
  target: async (index) => ({
    ...{ imageId: 100 + index, height: 2, width: 2 },
    instances: [{ id: index + 1, class: index % 2, box: [0, 0, 2, 1], area: 2, crowd: false, mask: half }],
  }),
  image: async () => ({ format: 'raw', bytes: new Uint8Array(12), height: 2, width: 2, channels: 3 }),
};

test('what was found before a stop or a kill is not looked for again', async (t) => {
  const { dir } = createProject(t, {});
  const asked: number[] = [];
  /** Finds each object, in batches of two; fails before an image. */
  const finderUntil = (end: number): Finder => ({
    batchSize: 2,
    async *over(data, from = 0) {
      for (let image = from; image < data.count; image += 2) {
        if (image >= end) throw new Error('stopped');
        const batch = [image, image + 1].filter((one) => one < data.count);
        asked.push(...batch);
        yield await Promise.all(
          batch.map(async (one) => {
            const target = await data.target(one);
            const [object] = target.instances;
            const detection = { class: object!.class, score: 0.5 + one / 10, box: object!.box, mask: half };
            return { image: one, target, detections: one === 3 ? [] : [detection] };
          }),
        );
      }
    },
  });
  const folders = (name: string) => {
    const [workDir, outDir] = [path.join(dir, `work-${name}`), path.join(dir, `out-${name}`)];
    for (const folder of [workDir, outDir]) fs.mkdirSync(folder, { recursive: true });
    return { workDir, outDir, signal: new AbortController().signal };
  };
  const weights = (value: number) => ({
    engine: 'onnx',
    trained: { parameters: { a: hostTensor([1], Float32Array.of(value)) } } as never,
  });
  const whole = await measureTest(folders('whole'), images, finderUntil(5), weights(1));
  const results = fs.readFileSync(path.join(dir, 'out-whole/detections.json'), 'utf8');
  t.deepEqual(JSON.parse(results)[1], {
    ...{ image_id: 101, category_id: 9, bbox: [0, 0, 2, 1], score: 0.6 },
    segmentation: { size: [2, 2], counts: '01100' },
  });
  t.is(whole.metrics.boxAR100, 0.75);
  // Drawn test sets may have no object: only the numbers that all of them have are stored.
  t.deepEqual(Object.keys(whole.resampled.values), Object.keys(whole.metrics));

  asked.length = 0;
  const again = () => folders('again');
  await t.throwsAsync(measureTest(again(), images, finderUntil(4), weights(1)), { message: 'stopped' });
  t.deepEqual(asked.splice(0), [0, 1, 2, 3]);
  // A kill in the midst of a line: its batch is looked at once more.
  const kept = path.join(dir, 'work-again/detections-onnx.jsonl');
  fs.truncateSync(kept, fs.statSync(kept).size - 1);
  t.deepEqual(await measureTest(again(), images, finderUntil(5), weights(1)), whole);
  t.deepEqual(asked.splice(0), [2, 3, 4]);
  t.is(fs.readFileSync(path.join(dir, 'out-again/detections.json'), 'utf8'), results);
  // All is kept; of other weights nothing is.
  t.deepEqual(await measureTest(again(), images, finderUntil(0), weights(1)), whole);
  await t.throwsAsync(measureTest(again(), images, finderUntil(0), weights(2)), { message: 'stopped' });

  // Groups have no AP: a task without a number would be missing in the table.
  const groups: typeof images = {
    ...images,
    async target(index) {
      const target = await images.target(index);
      return { ...target, instances: target.instances.map((one) => ({ ...one, crowd: true })) };
    },
  };
  await t.throwsAsync(measureTest(again(), groups, finderUntil(5), weights(1)), {
    message: 'the test images have no object that is to be found',
  });
});

test('boxes of the canvas become boxes of the image, cut at its borders; those without area are left out', (t) => {
  const found = {
    boxes: hostTensor([1, 4, 4], Float32Array.of(4, 2, 8, 6, -3, -3, 400, 300, 60, 0, 70, 9, 0, 0, 0, 0)),
    scores: hostTensor([1, 4], Float32Array.of(0.75, 0.5, 0.25, -1)),
    classes: hostTensor([1, 4], Int32Array.of(2, 0, 1, -1)),
    masks: hostTensor([1, 4, 2, 2], new Float32Array(16).fill(1)),
  };
  // A picture twice as wide and as high as the image, of 10 x 30 pixels.
  const [first, second, ...more] = detectionsOf(found, 0, { height: 10, width: 30 }, [2, 2]);
  t.deepEqual(more, []);
  t.like(first, { class: 2, score: 0.75, box: [2, 1, 2, 2] });
  t.deepEqual([...first!.mask.counts], [21, 2, 8, 2, 267]);
  t.like(second, { class: 0, score: 0.5, box: [0, 0, 30, 10] });
});

test('parameters of Mask R-CNN on ViT-B with 80 classes, without the backbone', (t) => {
  const config = maskRcnn({ epochs: 12, backbone: vit('base/16') }).config as unknown as MaskRcnnConfig;
  const { all } = detectorCounts(config, config.backbone!, { imageSize: 1024, classes: 80 });
  // The backbone as UperNet has it at 512 (see its test), with tables for 64 x 64 patches instead of 32 x 32.
  const tables = 12 * 12 * (127 ** 2 - 63 ** 2);
  t.is(all.parameters, 93_308_736 - 7_081_728 + tables + 27_773_424);
});

test('costs count the parameters that there are', (t) => {
  const { backbone, ...config } = tiny.config as unknown as MaskRcnnConfig;
  const vit = initVit(random(0, 'vit'), backbone!, 32);
  const detector = initDetector(random(0, 'detector'), { ...config, backbone: backbone! }, vit, 10);
  const sizes = leaves(detector as unknown as HostTree).map(({ leaf }) => leaf.data.length);
  const { all } = detectorCounts(config, backbone!, { imageSize: 32, classes: 10 });
  t.is(
    all.parameters,
    sizes.reduce((sum, size) => sum + size, 0),
  );
});

test('relations that do not hold are reported with field and remedy', (t) => {
  const facts = { size: 64, channels: 3, images: 8, classes: 2, target: 'instances' };
  const train = { name: 'data.train', facts };
  const issuesOf = (fields: object, data: object = {}) =>
    maskRcnn({ epochs: 1, backbone: vit({ dim: 32, depth: 2, heads: 2, patch: 8 }), batchSize: 4, ...fields })
      .expects!({ train: { ...train, facts: { ...facts, ...data } }, test: { ...train, name: 'data.test' } });
  t.deepEqual(issuesOf({}), []);
  t.snapshot([
    ...issuesOf({}, { target: 'class' }),
    ...issuesOf({}, { size: null }),
    ...issuesOf({ view: { size: 24 } }),
    ...issuesOf({ view: { size: 64, longer: 100 }, testView: { longer: 80 } }),
    ...issuesOf({ batchSize: 16 }),
    ...maskRcnn({ epochs: 1, backbone: vit({ dim: 32, depth: 2, heads: 2, patch: 8 }), layers: [1, 2, 3, 3] })
      .issues,
  ]);
});
