import { vit, vitSchema } from '../../../components/backbone/config.ts';
import { dropPathNoise } from '../../../components/backbone/drop-path.ts';
import { initVit } from '../../../components/backbone/init.ts';
import { usualLayers } from '../../../components/backbone/pyramid-config.ts';
import { type UperNetConfig, upernet } from '../../../components/downstream/segmentation/config.ts';
import {
  dropoutNoise,
  type SegmentationBatch,
  segmentationObjective,
} from '../../../components/downstream/segmentation/model/objective.ts';
import { initSegmenter } from '../../../components/downstream/segmentation/model/segmenter.ts';
import { openTester } from '../../../components/downstream/segmentation/test/evaluate.ts';
import { openEngine } from '../../../components/engine/open.ts';
import type { HostTensor } from '../../../components/engine/types.ts';
import { random } from '../../../components/nn/random.ts';
import { bytesTensor, hostTensor, leaves } from '../../../components/nn/tree.ts';
import { fit as trainSegmenter } from '../../../components/training/fit.ts';

const classes = 150;

/**
 * Training steps of UperNet on ViT-B/16 with 150 classes, and the test of a picture by two windows: time and peak memory of this
 * process.
 */
export async function benchSegmentation({
  pixels,
  batchSize,
  steps,
}: {
  readonly pixels: number;
  readonly batchSize: number;
  readonly steps: number;
}): Promise<void> {
  const backbone = vitSchema.parse(vit('base/16'));
  const component = upernet({ steps, batchSize, warmup: 0, view: { size: pixels } });
  const config = component.config as UperNetConfig;
  const sizes = { backbone, layers: usualLayers(12), classes, channels: 768, auxiliary: 256 };
  const weights = initVit(random(0, 'vit'), backbone, pixels);
  const start = initSegmenter(random(0, 'head'), weights, sizes);
  const count = leaves<HostTensor>(start as never).reduce((sum, { leaf }) => sum + leaf.data.length, 0);
  say(`${count.toLocaleString('en-US')} parameters, ${batchSize} pictures of ${pixels} pixels`);
  const batch = batchOf(batchSize, pixels);
  const engine = await openEngine({ name: 'onnx', threads: 2 });
  let watch = stopwatch();
  const context = {
    signal: new AbortController().signal,
    log: () => {},
    progress({ step, values }: { readonly step?: number; readonly values?: object }) {
      say(`step ${step}, with compiling if it is the first: ${watch()}`, values);
      watch = stopwatch();
    },
  };
  const fitted = await trainSegmenter(context, engine, segmentationObjective(config, sizes, start), {
    ...{ recipe: config, images: batchSize },
    batches: () => ({
      batch: ({ step, first }) => ({
        ...batch,
        noise: dropPathNoise(0, { step, first }),
        dropout: dropoutNoise(0, { step, first }),
      }),
    }),
  });
  const tested = { parameters: fitted.parameters, running: fitted.rest };
  await benchTest(engine, sizes, tested, pixels);
  engine.dispose();
}

type Opened = Parameters<typeof openTester>;

async function benchTest(engine: Opened[0], sizes: Opened[1], weights: Opened[2], size: number) {
  let watch = stopwatch();
  const stride = Math.floor((2 * size) / 3);
  const options = { size, stride, weights: [1], flip: false, fill: [0, 0, 0] };
  const tester = await openTester(engine, sizes, weights, options);
  say(`compiling the test: ${watch()}`);
  watch = stopwatch();
  const [height, width] = [size, size + stride];
  const picture = bytesTensor([height, width, 3], new Uint8Array(height * width * 3));
  const target = { height, width, labels: new Uint8Array(height * width) };
  async function* images() {
    yield { index: 0, pictures: [picture], target };
  }
  for await (const _ of tester.run(weights, images()));
  say(`the test of a picture by two windows: ${watch()}`);
  tester.dispose();
}

/** Pictures of noise; neighbours have the same class. */
function batchOf(count: number, pixels: number): Pick<SegmentationBatch<HostTensor>, 'images' | 'labels'> {
  const numbers = random(0, 'picture');
  const bytes = Uint8Array.from({ length: count * pixels * pixels * 3 }, () => numbers.int(256));
  const labels = Int32Array.from({ length: count * pixels * pixels }, (_, pixel) => (pixel >> 10) % classes);
  return {
    images: bytesTensor([count, pixels, pixels, 3], bytes),
    labels: hostTensor([count, pixels, pixels], labels),
  };
}

function stopwatch(): () => string {
  const [begun, used] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(used);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    return `${seconds} s, ${((user + system) / 1e6).toFixed(1)} s of processors`;
  };
}

function say(line: string, values?: object): void {
  const peak = (process.resourceUsage().maxRSS / 2 ** 20).toFixed(1);
  process.stdout.write(`${line}; at most ${peak} GiB${values ? ` ${JSON.stringify(values)}` : ''}\n`);
}
