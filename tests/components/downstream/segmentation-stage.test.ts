import { mkdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { PNG } from 'pngjs';
import { vit } from '../../../components/backbone/config.ts';
import { readLabelMap } from '../../../components/data/decode/label-map.ts';
import { restOf } from '../../../components/data/subset.ts';
import type { LabelMap } from '../../../components/data/targets.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { loadSegmenter } from '../../../components/downstream/segmentation/checkpoint.ts';
import { upernet } from '../../../components/downstream/segmentation/config.ts';
import type { Seeing } from '../../../components/downstream/segmentation/measure.ts';
import { measureTest } from '../../../components/downstream/segmentation/measure-test.ts';
import { run } from '../../../components/downstream/segmentation/stage.ts';
import { type TestImage, testImages } from '../../../components/downstream/segmentation/test/evaluate.ts';
import { bytesTensor, hostTensor } from '../../../components/nn/tree.ts';
import type { StageFunction, StageInput } from '../../../framework/stage/contract.ts';
import { createProject } from '../../support/project.ts';
import { leafInput } from '../../support/stage-input.ts';
import { attemptStage } from '../../support/stage-runner.ts';
import { uniforms } from '../engine/steps/support/seeded.ts';

const side = 16;
const colours = [
  [60, 60, 60],
  [200, 60, 60],
  [60, 200, 60],
  [60, 60, 200],
] as const;

/** Squares of three colours on grey, all noisy: the colour is the class. The patch in the corner has no class. */
function squares(count: number): Dataset<LabelMap> {
  const made = Array.from({ length: count }, (_, index) => {
    const [top, left] = uniforms(`square ${index}`, 2).map((u) => 4 * Math.floor(3 * u)) as [number, number];
    const noise = uniforms(`noise ${index}`, side * side * 3);
    const bytes = new Uint8Array(side * side * 3);
    const numbers = new Uint8Array(side * side);
    for (let pixel = 0; pixel < side * side; pixel++) {
      const [y, x] = [Math.floor(pixel / side), pixel % side];
      const label = y >= top && y < top + 8 && x >= left && x < left + 8 ? 1 + (index % 3) : 0;
      numbers[pixel] = y < 4 && x < 4 ? 0 : label + 1;
      for (let c = 0; c < 3; c++) bytes[3 * pixel + c] = colours[label]![c]! + 40 * noise[3 * pixel + c]!;
    }
    return { bytes, numbers };
  });
  const at = (index: number) => made[index] ?? made.at(Number.NaN)!;
  return {
    ...{ name: 'squares', count, classes: ['ground', 'red', 'green', 'blue'], imageSize: side },
    target: async (index) => {
      const { numbers } = at(index);
      return { format: 'raw', numbering: 'from-1', numbers, height: side, width: side };
    },
    image: async (index) => {
      const { bytes } = at(index);
      return { format: 'raw', bytes, height: side, width: side, channels: 3 };
    },
  };
}

const component = upernet({
  backbone: vit({ dim: 16, depth: 2, heads: 2, patch: 4 }),
  ...{ steps: 24, batchSize: 8, learningRate: 2e-2, warmup: 5, layerDecay: 1, channels: 16 },
  auxiliary: { channels: 8 },
  // Also what is drawn has to be the same in a resumed training.
  ...{ dropPath: 0.1, dropout: 0.1 },
  view: { scale: [1, 1.2], maxClassShare: 1, distortion: 'none' },
  testView: { flip: true },
  checkpoint: { validation: { share: 0.25, every: 24 } },
});

test('a segmentation learns its images, is written down, and ends in the same bytes when it is resumed', async (t) => {
  t.deepEqual(component.issues, []);
  const { dir } = createProject(t, {});
  const images = squares(16);
  const input: StageInput = { ...leafInput(component), load: async () => images as never };
  const given = { dir, config: component.config, inputs: { train: input, test: input } };
  const attempt = (more: { name: string; stopAt?: number }) =>
    attemptStage(run as unknown as StageFunction<never>, { ...given, ...more });
  const whole = await attempt({ name: 'whole' });
  const { mIoU, mAcc, aAcc, validation, bestStep } = whole.metrics;
  // All ground would be 0.19. That it comes to 1 on harder images takes a minute: tests/long.
  t.true(mIoU! > 0.5 && mAcc! > 0.5 && aAcc! > 0.8, JSON.stringify(whole.metrics));
  t.true(validation! > 0.4 && bestStep === 24);
  const names = [
    'areas.json',
    'metrics.jsonl',
    'predictions.png',
    'segmenter.json',
    'segmenter.safetensors',
    'truth.png',
  ];
  t.deepEqual(Object.keys(whole.files), names);

  const { weights, classNames, layers } = loadSegmenter(path.join(dir, 'out-whole'));
  t.deepEqual([classNames, layers], [images.classes, [1, 1, 1, 2]]);
  t.deepEqual(weights.running.fusion!.variance.shape, [16]);
  // Eight images of 16 pixels, six times as large, with gaps of 4; above the truth the images.
  const { width, height } = PNG.sync.read(Buffer.from(whole.files['truth.png']!, 'hex'));
  t.deepEqual([width, height], [8 * (96 + 4) + 4, 2 * (96 + 4) + 4]);

  t.is((await attempt({ name: 'stopped', stopAt: 12 })).end, 'stopped');
  const resumed = await attempt({ name: 'stopped' });
  t.is(resumed.past.resumedFrom, 12);
  t.deepEqual(
    names.filter((name) => resumed.files[name] !== whole.files[name]),
    [],
  );
});

test('what was seen before a stop or a kill is not looked at again, and the outputs are the same', async (t) => {
  const { dir } = createProject(t, {});
  // Images of one to four windows, three of which are seen at once; a window's place in its run counts.
  const sizes = [20, 8, 16, 12, 24, 8, 16, 20, 12, 8];
  const data: Dataset<LabelMap> = {
    ...{ name: 'strips', count: sizes.length, classes: ['a', 'b', 'c'] },
    target: async (index) => ({
      ...{ format: 'raw', numbering: 'from-0', height: 8, width: sizes[index]! },
      numbers: Uint8Array.from({ length: 8 * sizes[index]! }, (_, pixel) =>
        pixel % 4 === 3 ? 255 : pixel % 3,
      ),
    }),
    image: async () => ({ format: 'raw', bytes: new Uint8Array(0), height: 8, width: 8, channels: 3 }),
  };
  const seen: number[] = [];
  let runs = 0;
  const classify = (end: number) => async (windows: Uint8Array) => {
    if (++runs > end) throw new Error('stopped');
    const { length } = windows;
    return Float32Array.from(
      { length },
      (_, at) => (windows[at]! * 7 + at * (1 + Math.floor((3 * at) / length))) % 5,
    );
  };
  const seeing = (end: number): Seeing => {
    const images = async function* (images: Dataset<LabelMap>): AsyncGenerator<TestImage> {
      for (let index = 0; index < images.count; index++) {
        const target = await readLabelMap(await images.target(index), 3);
        const picture = new Uint8Array(8 * target.width * 3).map((_, at) => at * at * target.width);
        yield { index, pictures: [bytesTensor([8, target.width, 3], picture)], target };
      }
    };
    const options = { ...{ size: 8, stride: 4, flip: false, weights: [1] }, fill: [0, 0, 0], classes: 3 };
    return {
      ...{ together: 3, images },
      async *over(all, from = 0) {
        seen.push(from);
        for await (const found of testImages(
          { classify: classify(end), count: 3 },
          images(restOf(all, from)),
          options,
        ))
          yield found.map((one) => ({ ...one, image: { ...one.image, index: one.image.index + from } }));
      },
    };
  };
  const attempt = async (name: string, end: number, value = 1) => {
    const [workDir, outDir] = [path.join(dir, `work-${name}`), path.join(dir, `out-${name}`)];
    for (const folder of [workDir, outDir]) mkdirSync(folder, { recursive: true });
    runs = 0;
    const weights = { parameters: { a: hostTensor([1], Float32Array.of(value)) } } as never;
    const { signal } = new AbortController();
    const { scores } = await measureTest({ workDir, outDir, signal }, data, seeing(end), {
      ...{ engine: 'onnx', weights },
    });
    const bytes = ['truth.png', 'predictions.png', 'areas.json'].map((file) =>
      readFileSync(path.join(outDir, file), 'hex'),
    );
    return { scores, bytes };
  };
  const whole = await attempt('whole', 100);
  const all = runs;
  t.true(
    all === 9 && whole.scores.aAcc > 0.2 && whole.scores.aAcc < 0.9,
    `${all} ${JSON.stringify(whole.scores)}`,
  );
  const kept = path.join(dir, 'work-parts/areas-onnx.jsonl');
  for (const end of [1, 6, 2]) {
    await t.throwsAsync(attempt('parts', end), { message: 'stopped' });
    // A kill in the midst of a line.
    truncateSync(kept, statSync(kept).size - 1);
  }
  t.deepEqual(await attempt('parts', 100), whole);
  // Each began where the windows before it filled whole runs.
  const windows = sizes.map((size) => Math.ceil((size - 8) / 4) + 1);
  for (const from of seen) t.is(windows.slice(0, from).reduce((sum, count) => sum + count, 0) % 3, 0);
  t.true(seen.at(-1)! > 2 && runs < all, `${seen}`);
  // All is kept; of other weights nothing is.
  t.deepEqual(await attempt('parts', 0), whole);
  await t.throwsAsync(attempt('parts', 0, 2), { message: 'stopped' });
});

test('label maps without a class are refused before anything is trained', async (t) => {
  const { dir } = createProject(t, {});
  const images = squares(16);
  const none = async () =>
    ({ ...(await images.target(0)), numbers: new Uint8Array(side * side) }) as LabelMap;
  const of = (data: Dataset<LabelMap>): StageInput => ({
    ...leafInput(component),
    load: async () => data as never,
  });
  const attempt = (train: Dataset<LabelMap>, tests: Dataset<LabelMap>) =>
    t.throwsAsync(
      attemptStage(run as unknown as StageFunction<never>, {
        ...{ dir, name: 'none', config: component.config, stopAt: 1 },
        inputs: { train: of(train), test: of(tests) },
      }),
    );
  const empty = { ...images, target: none };
  t.is((await attempt(images, empty))?.message, 'no pixel of the test images has a class');
  t.is(
    (await attempt(empty, images))?.message,
    'no pixel of the training images that are held out for validation has a class',
  );
});

test('configs that can not train or fit nothing are refused with the field', (t) => {
  const backbone = vit({ dim: 12, depth: 4, heads: 2, patch: 4 });
  const of = (changes: object) =>
    upernet({ backbone, steps: 10, view: { size: 32 }, ...changes } as Parameters<typeof upernet>[0]);
  const issues = (changes: object) =>
    of(changes).issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  t.deepEqual(issues({ batchSize: 1 }), ['batchSize must be more than 1']);
  t.deepEqual(issues({ batchSize: 8, microBatch: 1 }), ['microBatch must be more than 1']);
  t.deepEqual(issues({ layers: [1, 2, 3] }).length, 1);
  const wired = (changes: object, facts: object = {}) => {
    const { expects } = of(changes);
    const data = { facts: { target: 'label map', classes: 3, images: 100, size: 32, ...facts } };
    const inputs = { train: { name: 'train', ...data }, test: { name: 'test', ...data } };
    return expects!(inputs as never).map(({ path, message }) => `${path.join('.')} ${message}`);
  };
  t.deepEqual(wired({}), []);
  t.deepEqual(wired({ layers: [1, 2, 3, 5] }), ['layers.3 expected at most 4, the depth of `backbone`']);
  t.deepEqual(wired({ view: { size: 4 } }), ['view.size expected at least 8']);
  t.regex(wired({}, { target: 'class' }).join(), /a class for each image, not a label map/);
  t.regex(wired({}, { images: 8 }).join(), /batchSize expected at most 8, the images of train/);
});
