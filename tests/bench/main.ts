/**
 * Benchmarks. Nothing here is a test: machines are noisy, so that only ratios within one run say anything.
 *
 *     npm run bench -- engine [--shapes mim-small,mim-base:4,...] [--rounds 2] [--seconds 2] [--torch "python3"]...
 *                              [--only onnx,tensorflow,PyTorch,...] [--wasm]
 *     npm run bench -- engine --gpu [the same]
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

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
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
  },
});

switch (positionals.join()) {
  case 'engine': {
    const { benchEngine } = await import('./engine/bench.ts');
    await benchEngine({
      shapes: values.shapes?.split(','),
      rounds: Number(values.rounds ?? 2),
      seconds: Number(values.seconds ?? 2),
      torch: values.torch ?? ['python3'],
      only: values.only?.split(','),
      wasm: values.wasm,
      gpu: values.gpu,
    });
    break;
  }
  case 'dense': {
    const { benchDense } = await import('./dense/bench.ts');
    await benchDense({
      workers: values.workers.split(',').map(Number),
      seconds: Number(values.seconds ?? 5),
    });
    break;
  }
  case 'noop': {
    const { benchNoop } = await import('./noop/bench.ts');
    await benchNoop({
      sizes: values.sizes.split(','),
      large: values.large,
      rounds: Number(values.rounds ?? 10),
      peers: values.peers,
      only: values.only?.split(','),
    });
    break;
  }
  case 'memory': {
    const { benchMemory } = await import('./memory/bench.ts');
    await benchMemory({ images: Number(values.images), steps: Number(values.steps ?? 300) });
    break;
  }
  case 'data': {
    const { benchData } = await import('./data/bench.ts');
    await benchData({
      python: process.env.PYTHON ?? 'python3',
      photos: Number(values.photos),
      rounds: Number(values.rounds ?? 6),
      workers: values.workers.split(',').map(Number),
    });
    break;
  }
  case 'folder': {
    const { benchFolder } = await import('./folder/bench.ts');
    await benchFolder({ files: Number(values.files) });
    break;
  }
  case 'views': {
    const { benchViews } = await import('./views/bench.ts');
    await benchViews({ folder: values.folder, out: values.out });
    break;
  }
  case 'coco-eval': {
    const { benchCocoEval } = await import('./coco-eval/bench.ts');
    await benchCocoEval({
      python: process.env.PYTHON ?? 'python3',
      images: Number(values.scenes),
      rounds: Number(values.rounds ?? 1),
    });
    break;
  }
  case 'detection': {
    const { benchDetection } = await import('./detection/bench.ts');
    await benchDetection({
      pixels: Number(values.pixels ?? 1024),
      maskStride: Number(values['mask-stride']),
      steps: Number(values.steps ?? 2),
    });
    break;
  }
  case 'segmentation': {
    const { benchSegmentation } = await import('./segmentation/bench.ts');
    await benchSegmentation({
      pixels: Number(values.pixels ?? 512),
      batchSize: Number(values.batch),
      steps: Number(values.steps ?? 2),
    });
    break;
  }
  case 'annotations': {
    const { benchAnnotations } = await import('./annotations/bench.ts');
    await benchAnnotations({ python: process.env.PYTHON ?? 'python3', images: Number(values.pictures) });
    break;
  }
  case 'display': {
    const { benchDisplay } = await import('./display/bench.ts');
    benchDisplay({
      shapes: values.shapes?.split(',') ?? ['50x5', '200x5'],
      rounds: Number(values.rounds ?? 2),
    });
    break;
  }
  default:
    process.stderr.write(
      'Which benchmark? There is: npm run bench -- engine, npm run bench -- noop, npm run bench -- display, npm run bench -- memory, npm run bench -- data, npm run bench -- folder, npm run bench -- views, npm run bench -- annotations, npm run bench -- coco-eval, npm run bench -- detection, npm run bench -- segmentation\n',
    );
    process.exitCode = 2;
}
