/**
 * Benchmarks. Nothing here is a test: machines are noisy, so that only ratios within one run say anything.
 *
 *     npm run bench -- engine [--shapes mim-small,mim-base:4,...] [--rounds 2] [--seconds 2] [--torch "python3"]...
 *                              [--only onnx,tensorflow,PyTorch,...] [--wasm]
 *     npm run bench -- engine --gpu [the same]
 *     npm run bench -- steady [--only tensorflow,...] [--steps 1000]
 *     npm run bench -- display [--shapes 50x5,200x5] [--rounds 2]
 *     npm run bench -- noop [--peers DIR] [--sizes 10x10,25x20] [--large 250x20] [--rounds 10] [--only turbo,make,...]
 *     npm run bench -- memory [--images 50000] [--steps 300]
 *     PYTHON=python3 npm run bench -- data [--photos 256] [--rounds 6] [--workers 1,2]
 *     npm run bench -- folder [--files 100000]
 *     npm run bench -- views [--folder FOLDER] [--out views.png]
 *     npm run bench -- dense [--workers 0,1] [--seconds 5]
 *     PYTHON=python3 npm run bench -- annotations [--pictures 118287]
 *     PYTHON=python3 npm run bench -- coco-eval [--scenes 5000] [--rounds 1]
 *     npm run bench -- detection [--pixels 1024] [--mask-stride 1] [--steps 2]
 *     npm run bench -- segmentation [--pixels 512] [--batch 2] [--steps 2]
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { formatError, isPecoError } from '../../framework/stage/errors.ts';
import { amountOf, checkNames, countOf, countOrNone, usageError } from './flags.ts';

const options = {
  rounds: { type: 'string' },
  // engine and display
  shapes: { type: 'string' },
  torch: { type: 'string', multiple: true },
  wasm: { type: 'boolean', default: false },
  gpu: { type: 'boolean', default: false },
  // noop
  peers: { type: 'string' },
  sizes: { type: 'string', default: '10x10,25x20' },
  large: { type: 'string', default: '250x20' },
  only: { type: 'string' },
  // memory
  images: { type: 'string', default: '50000' },
  steps: { type: 'string' },
  // data
  photos: { type: 'string', default: '256' },
  workers: { type: 'string', default: String(availableParallelism()) },
  // dense and engine
  seconds: { type: 'string' },
  // folder
  files: { type: 'string', default: '100000' },
  // annotations
  pictures: { type: 'string', default: '118287' },
  // coco-eval
  scenes: { type: 'string', default: '5000' },
  // detection and segmentation
  pixels: { type: 'string' },
  batch: { type: 'string', default: '2' },
  'mask-stride': { type: 'string', default: '1' },
  // views
  folder: { type: 'string' },
  out: { type: 'string', default: 'views.png' },
} as const;

/** Throws PecoError for a flag that there isn't, and for what flags can't be. */
function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    // Node's message goes on with how to pass a name that begins with a dash.
    const [message = ''] = (error as Error).message.split('. ');
    throw usageError(message, `there are --${Object.keys(options).join(', --')}`);
  }
}

type Flags = ReturnType<typeof readArguments>['values'];

const python = process.env.PYTHON ?? 'python3';
const rounds = (flags: Flags, usual: number) => countOf('--rounds', flags.rounds ?? String(usual));
const steps = (flags: Flags, usual: number) => countOf('--steps', flags.steps ?? String(usual));
const seconds = (flags: Flags, usual: number) => amountOf('--seconds', flags.seconds ?? String(usual));

const benches: { readonly [name: string]: (flags: Flags) => Promise<void> } = {
  engine: async (flags) =>
    (await import('./engine/bench.ts')).benchEngine({
      shapes: flags.shapes?.split(','),
      rounds: rounds(flags, 2),
      seconds: seconds(flags, 2),
      torch: flags.torch ?? ['python3'],
      only: flags.only?.split(','),
      wasm: flags.wasm,
      gpu: flags.gpu,
    }),
  steady: async (flags) =>
    (await import('./steady/bench.ts')).benchSteady({
      only: flags.only?.split(','),
      steps: steps(flags, 1000),
    }),
  noop: async (flags) =>
    (await import('./noop/bench.ts')).benchNoop({
      sizes: flags.sizes.split(','),
      large: flags.large,
      rounds: rounds(flags, 10),
      peers: flags.peers,
      only: flags.only?.split(','),
    }),
  display: async (flags) =>
    (await import('./display/bench.ts')).benchDisplay({
      shapes: flags.shapes?.split(',') ?? ['50x5', '200x5'],
      rounds: rounds(flags, 2),
    }),
  memory: async (flags) =>
    (await import('./memory/bench.ts')).benchMemory({
      images: countOf('--images', flags.images),
      steps: steps(flags, 300),
    }),
  data: async (flags) =>
    (await import('./data/bench.ts')).benchData({
      python,
      photos: countOf('--photos', flags.photos),
      rounds: rounds(flags, 6),
      workers: flags.workers.split(',').map((each) => countOrNone('--workers', each)),
    }),
  folder: async (flags) =>
    (await import('./folder/bench.ts')).benchFolder({ files: countOf('--files', flags.files) }),
  views: async (flags) =>
    (await import('./views/bench.ts')).benchViews({ folder: flags.folder, out: flags.out }),
  dense: async (flags) =>
    (await import('./dense/bench.ts')).benchDense({
      workers: flags.workers.split(',').map((each) => countOrNone('--workers', each)),
      seconds: seconds(flags, 5),
    }),
  annotations: async (flags) =>
    (await import('./annotations/bench.ts')).benchAnnotations({
      python,
      images: countOf('--pictures', flags.pictures),
    }),
  'coco-eval': async (flags) =>
    (await import('./coco-eval/bench.ts')).benchCocoEval({
      python,
      images: countOf('--scenes', flags.scenes),
      rounds: rounds(flags, 1),
    }),
  detection: async (flags) =>
    (await import('./detection/bench.ts')).benchDetection({
      pixels: countOf('--pixels', flags.pixels ?? '1024'),
      maskStride: countOf('--mask-stride', flags['mask-stride']),
      steps: steps(flags, 2),
    }),
  segmentation: async (flags) =>
    (await import('./segmentation/bench.ts')).benchSegmentation({
      pixels: countOf('--pixels', flags.pixels ?? '512'),
      batchSize: countOf('--batch', flags.batch),
      steps: steps(flags, 2),
    }),
};

async function main(): Promise<void> {
  const { positionals, values } = readArguments();
  const [name, ...more] = positionals;
  const names = Object.keys(benches);
  if (name === undefined || more.length > 0)
    throw usageError('name one benchmark: npm run bench -- NAME', `there are ${names.join(', ')}`);
  checkNames('npm run bench', [name], names);
  await benches[name]!(values);
}

try {
  await main();
} catch (error) {
  if (!isPecoError(error)) throw error;
  process.stderr.write(`${formatError(error)}\n`);
  process.exitCode = 2;
}
