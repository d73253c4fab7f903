import type * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { z } from 'zod';
import { vit, vitSchema } from '../../components/backbone/config.ts';
import { initVit } from '../../components/backbone/init.ts';
import { maskRcnnModelFields } from '../../components/downstream/detection/model/config.ts';
import { type Detections, detect } from '../../components/downstream/detection/model/detect.ts';
import { initDetector } from '../../components/downstream/detection/model/detector.ts';
import { detectionObjective, samplingNoise } from '../../components/downstream/detection/model/objective.ts';
import { openEngine } from '../../components/engine/open.ts';
import type { HostTensor } from '../../components/engine/types.ts';
import { random } from '../../components/nn/random.ts';
import { bytesTensor, hostTensor } from '../../components/nn/tree.ts';
import { initialState, trainingStep } from '../../components/training/objective.ts';
import { cosine, stepScalars } from '../../components/training/schedule.ts';

const [size, images, objects, classes] = [64, 16, 2, 5];
const colours = [
  [250, 40, 40],
  [40, 250, 40],
  [40, 40, 250],
  [240, 240, 40],
  [230, 230, 230],
] as const;

/** One or two ellipses of the colour of their class in each picture, on dark noise. */
function scenes() {
  const numbers = random(1, 'scenes');
  const pictures = Uint8Array.from({ length: images * size * size * 3 }, () => numbers.int(60));
  const boxes = new Float32Array(images * objects * 4);
  const labels = new Int32Array(images * objects).fill(-1);
  const masks = new Uint8Array(images * objects * size * size);
  for (let image = 0; image < images; image++) {
    const count = 1 + numbers.int(objects);
    for (let object = image * objects; object < image * objects + count; object++) {
      const [width, height] = [14 + numbers.int(20), 14 + numbers.int(20)];
      const [x, y, label] = [numbers.int(size - width), numbers.int(size - height), numbers.int(classes)];
      boxes.set([x, y, x + width, y + height], 4 * object);
      labels[object] = label;
      for (let place = 0; place < size * size; place++) {
        const across = ((place % size) + 0.5 - x - width / 2) / (width / 2);
        const down = (Math.floor(place / size) + 0.5 - y - height / 2) / (height / 2);
        if (across ** 2 + down ** 2 >= 1) continue;
        masks[object * size * size + place] = 1;
        // What lies behind is hidden: only what is seen is in its mask.
        if (object % objects > 0) masks[(object - 1) * size * size + place] = 0;
        pictures.set(colours[label]!, (image * size * size + place) * 3);
      }
    }
  }
  return {
    images: bytesTensor([images, size, size, 3], pictures),
    boxes: hostTensor([images, objects, 4], boxes),
    classes: hostTensor([images, objects], labels),
    masks: bytesTensor([images, objects, size, size], masks),
    sizes: hostTensor([images, 2], new Int32Array(2 * images).fill(size)),
  };
}

test.serial(
  'a small Mask R-CNN learns 16 pictures by heart: every object is found, at its place, with its mask',
  async (t) => {
    const config = {
      ...z.strictObject(maskRcnnModelFields).parse({
        fpnChannels: 32,
        rpn: { before: { train: 200, test: 200 }, after: { train: 100, test: 100 }, samples: 64 },
        boxHead: { width: 128, samples: 64 },
        maskHead: { size: 7, convolutions: 2, channels: 32 },
        detections: { most: 20 },
      }),
      backbone: vitSchema.parse(vit({ dim: 64, depth: 4, heads: 4, patch: 8 })),
      dropPath: 0,
    };
    const start = initDetector(
      random(0, 'detector'),
      config,
      initVit(random(0, 'vit'), config.backbone, size),
      classes,
    );
    const objective = detectionObjective({ config, start });
    const recipe = {
      batchSize: images,
      learningRate: 1e-3,
      weightDecay: 0,
      clipNorm: 1,
      betas: [0.9, 0.999] as const,
    };
    const steps = 400;
    const batch = scenes();
    const feed = (step: number) => ({
      batch: { ...batch, sampling: samplingNoise(0, { step, first: 0 }) },
      stepScalars: stepScalars(step, cosine(1e-3, 0, { step, steps, warmup: 20 })),
    });
    const engine = await openEngine({ name: 'onnx', threads: 2 });
    const state = engine.state(initialState(objective, recipe) as never);
    const options = { name: 'train', state, step: trainingStep(objective, recipe), batch: feed(0) };
    const train = await engine.compile(options as never);
    const last: { [name: string]: number } = {};
    for (let step = 0; step < steps; step++) {
      const out = (await train.run(feed(step) as never)) as { readonly [name: string]: HostTensor };
      for (const [name, { data }] of Object.entries(out)) last[name] = data[0]!;
    }
    t.log(last);
    const find = await engine.compile({
      ...{ name: 'find', state, batch: { images: batch.images, sizes: batch.sizes } },
      step: (now: never, given: { images: tf.Tensor; sizes: tf.Tensor }) => ({
        state: now,
        out: detect(now as never, config, given.images, given.sizes) as never,
      }),
    } as never);
    const found = (await find.run({
      images: batch.images,
      sizes: batch.sizes,
    } as never)) as unknown as Detections<HostTensor>;
    engine.dispose();
    const worst = worstOf(found, batch);
    t.log(worst);
    t.true(worst.box > 0.8 && worst.mask > 0.7 && worst.score > 0.8 && worst.wrong < 0.5);
  },
);

/** Of all objects the least overlap of box and mask and the least score; and the greatest score of what is no object. */
function worstOf(found: Detections<HostTensor>, batch: ReturnType<typeof scenes>) {
  const side = found.masks.shape[2]!;
  const worst = { box: 1, mask: 1, score: 1, wrong: 0 };
  for (let image = 0; image < images; image++) {
    const scores = [...found.scores.data.slice(image * 20, image * 20 + 20)];
    const real = [0, 1].filter((object) => batch.classes.data[image * objects + object]! >= 0);
    worst.wrong = Math.max(worst.wrong, ...scores.slice(real.length), 0);
    for (const object of real.map((each) => image * objects + each)) {
      const truth = [...batch.boxes.data.slice(4 * object, 4 * object + 4)];
      const own = scores
        .map((score, place) => ({ score, place: image * 20 + place }))
        .filter(({ score, place }) => score > 0.5 && found.classes.data[place] === batch.classes.data[object])
        .map(({ score, place }) => ({
          score,
          place,
          box: [...found.boxes.data.slice(4 * place, 4 * place + 4)],
        }))
        .map((each) => ({ ...each, overlap: overlap(each.box, truth) }))
        .sort((a, b) => b.overlap - a.overlap)[0];
      worst.box = Math.min(worst.box, own?.overlap ?? 0);
      worst.score = Math.min(worst.score, own?.score ?? 0);
      if (!own) continue;
      const mask = found.masks.data.slice(own.place * side * side, (own.place + 1) * side * side);
      const truthMask = batch.masks.data.slice(object * size * size, (object + 1) * size * size);
      worst.mask = Math.min(worst.mask, maskOverlap(mask as Float32Array, own.box, truthMask as Uint8Array));
    }
  }
  return worst;
}

function overlap(a: readonly number[], b: readonly number[]): number {
  const common = (from: number, to: number) =>
    Math.max(0, Math.min(a[to]!, b[to]!) - Math.max(a[from]!, b[from]!));
  const area = (x: readonly number[]) => (x[2]! - x[0]!) * (x[3]! - x[1]!);
  const both = common(0, 2) * common(1, 3);
  return both / (area(a) + area(b) - both);
}

/** Intersection over union of pixels, where the mask's nearest place is above a half. */
function maskOverlap(mask: Float32Array, box: readonly number[], truth: Uint8Array): number {
  const side = Math.sqrt(mask.length);
  let [both, either] = [0, 0];
  for (let place = 0; place < size * size; place++) {
    const across = (((place % size) + 0.5 - box[0]!) / (box[2]! - box[0]!)) * side;
    const down = ((Math.floor(place / size) + 0.5 - box[1]!) / (box[3]! - box[1]!)) * side;
    const inside = across >= 0 && across < side && down >= 0 && down < side;
    const found = inside && mask[Math.floor(down) * side + Math.floor(across)]! > 0.5;
    if (found && truth[place] === 1) both++;
    if (found || truth[place] === 1) either++;
  }
  return both / either;
}
