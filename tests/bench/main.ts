/**
 * Benchmarks. Nothing here is a test: machines are noisy, so that only ratios within one run say anything.
 *
 *     npm run bench -- engine [--shapes mim-small,...] [--rounds 2] [--torch "python3"]... [--wasm]
 */
import { parseArgs } from 'node:util';
import { benchEngine } from './engine/bench.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    shapes: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    torch: { type: 'string', multiple: true },
    wasm: { type: 'boolean', default: false },
  },
});
if (positionals.join() !== 'engine') {
  process.stderr.write('Which benchmark? There is: npm run bench -- engine\n');
  process.exit(2);
}
await benchEngine({
  shapes: values.shapes?.split(','),
  rounds: Number(values.rounds),
  torch: values.torch ?? ['python3'],
  wasm: values.wasm,
});
