import sharp from 'sharp';
import type { Loader } from '../../../components/data/batches.ts';
import { openDetectionLoader } from '../../../components/data/dense/detection-loader.ts';
import { detectionViewSchema } from '../../../components/data/dense/detection-view.ts';
import { openSegmentationLoader } from '../../../components/data/dense/segmentation-loader.ts';
import { segmentationViewSchema } from '../../../components/data/dense/segmentation-view.ts';
import type { ImageInstances, Instance, LabelMap } from '../../../components/data/targets.ts';
import type { Dataset, ImageBytes, Pixels } from '../../../components/data/types.ts';
import { random } from '../../../components/nn/random.ts';

/**
 * How many images a second the loaders of segmentation and detection show: raw ones of 64 pixels, and JPEGs at the sizes of
 * papers. By the clock, and by the seconds of processors that were used, which say more where others use them too.
 */
export async function benchDense({
  workers,
  seconds,
}: {
  readonly workers: readonly number[];
  readonly seconds: number;
}): Promise<void> {
  const small = scenes(64, 64);
  const common = { seed: 0, purpose: 'bench' };
  const segment = (size: number, data: Dataset<LabelMap>, batchSize: number, threads: number) =>
    openSegmentationLoader(data, {
      ...{ ...common, batchSize, workers: threads, view: segmentationViewSchema.parse({ size }) },
    });
  const detect = (fields: object, data: Dataset<ImageInstances>, batchSize: number, threads: number) =>
    openDetectionLoader(data, {
      ...{ ...common, batchSize, workers: threads, view: detectionViewSchema.parse(fields) },
    });
  await measure('segmentation, raw, 64', segment(64, small.labelled, 32, 0), 32, seconds);
  const few = { size: 64, maxInstances: 8 };
  await measure('detection, raw, 64', detect(few, small.annotated, 32, 0), 32, seconds);
  await measure(
    'detection, raw, 64, jitter',
    detect({ ...few, jitter: [0.1, 2] }, small.annotated, 32, 0),
    32,
    seconds,
  );
  const ade = await encoded(scenes(512, 683));
  const coco = await encoded(scenes(480, 640));
  for (const threads of workers) {
    const name = (text: string) => `${text}, ${threads} threads`;
    await measure(
      name('segmentation, JPEG 683x512, 512'),
      segment(512, ade.labelled, 16, threads),
      16,
      seconds,
    );
    for (const maskStride of [1, 4]) {
      const fields = { size: 1024, jitter: [0.1, 2], maskStride };
      const loader = detect(fields, coco.annotated, 4, threads);
      await measure(name(`detection, JPEG 640x480, 1024, jitter, masks / ${maskStride}`), loader, 4, seconds);
    }
    const fields = { size: 1344, shorter: 800, longer: 1333, maskStride: 4 };
    const loader = detect(fields, coco.annotated, 4, threads);
    await measure(name('detection, JPEG 640x480, 800/1333, masks / 4'), loader, 4, seconds);
  }
}

async function measure(
  name: string,
  loader: Loader<unknown>,
  batchSize: number,
  seconds: number,
): Promise<void> {
  // The first batches start threads and compile.
  for (let step = 0; step < 3; step++) await loader.batch(step);
  const [start, used] = [process.hrtime.bigint(), process.cpuUsage()];
  const passed = () => Number(process.hrtime.bigint() - start) / 1e9;
  let steps = 0;
  while (passed() < seconds) await loader.batch(3 + steps++);
  const images = steps * batchSize;
  const { user, system } = process.cpuUsage(used);
  const [byClock, byProcessor] = [passed(), (user + system) / 1e6].map((time) =>
    Math.round(images / time!).toLocaleString('en-US'),
  );
  console.log(`${name}: ${byClock} images a second, ${byProcessor} a second of a processor`);
  await loader.close();
}

const count = 8;
const classes = Array.from({ length: 10 }, String);

interface Scenes {
  readonly labelled: Dataset<LabelMap>;
  readonly annotated: Dataset<ImageInstances>;
}

/** Waves with noise, with a label map of squares and seven round objects. */
function scenes(height: number, width: number): Scenes {
  const images = Array.from({ length: count }, (_, n) => waves(height, width, n));
  const across = Math.ceil(width / 5);
  const numbers = Uint8Array.from(
    { length: height * width },
    (_, at) => (Math.floor((at % width) / across) + 3 * Math.floor(Math.floor(at / width) / across)) % 10,
  );
  const image = async (index: number) => ({ format: 'raw' as const, ...images[index]! });
  const objects = { imageId: 1, height, width, instances: instancesOf(height, width) };
  const common = { name: 'scenes', count, classes, image };
  return {
    labelled: {
      ...common,
      target: async () => ({ numbering: 'from-0', format: 'raw', numbers, height, width }),
    },
    annotated: { ...common, target: async () => objects },
  };
}

function waves(height: number, width: number, phase: number): Pixels {
  const noise = random(phase, 'noise');
  const bytes = Uint8Array.from({ length: height * width * 3 }, (_, at) => {
    const [pixel, channel] = [Math.floor(at / 3), at % 3];
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    return (
      124 + 60 * Math.sin(x / 17 + channel + phase) + 55 * Math.cos(y / 23 - channel) + 8 * noise.uniform()
    );
  });
  return { bytes, height, width, channels: 3 };
}

function instancesOf(height: number, width: number): Instance[] {
  const drawn = random(0, 'objects');
  return Array.from({ length: 7 }, (_, id) => {
    const radius = height * (0.05 + 0.15 * drawn.uniform());
    const [x, y] = [width, height].map((side) => radius + drawn.uniform() * (side - 2 * radius));
    const outline = Array.from({ length: 24 }, (_, n) => (n * Math.PI) / 12).flatMap((angle) => [
      x! + radius * Math.cos(angle),
      y! + radius * Math.sin(angle),
    ]);
    const box = [x! - radius, y! - radius, 2 * radius, 2 * radius] as const;
    return { id, class: id, box, area: 3 * radius ** 2, crowd: false, mask: { outlines: [outline] } };
  });
}

/** The same as JPEGs, and label maps as PNGs. */
async function encoded({ labelled, annotated }: Scenes): Promise<Scenes> {
  const images: ImageBytes[] = [];
  for (let index = 0; index < count; index++) {
    const { bytes, height, width } = (await labelled.image(index)) as Pixels;
    const file = await sharp(bytes, { raw: { height, width, channels: 3 } })
      .jpeg({ quality: 90 })
      .toBuffer();
    images.push({ format: 'jpeg', bytes: new Uint8Array(file) });
  }
  const { numbers, height, width } = (await labelled.target(0)) as Extract<LabelMap, { format: 'raw' }>;
  const map = await sharp(numbers as Uint8Array, { raw: { height, width, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  const bytes = new Uint8Array(map);
  const image = async (index: number) => images[index]!;
  return {
    labelled: {
      ...labelled,
      image,
      target: async () => ({ numbering: 'from-0', format: 'png', bytes }),
    },
    annotated: { ...annotated, image },
  };
}
