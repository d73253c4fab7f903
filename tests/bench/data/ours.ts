/**
 * A loader as a training has it, in a process as a stage's: `node ours.mjs FOLDER BATCH WORKERS JITTER`. For each line
 * `SKIP COUNT` on its input it asks for SKIP batches, prints `begin`, asks for COUNT more, and prints `end`.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { openLoader } from '../../../components/data/loader.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { beitPretrainingView } from '../../../components/data/views/presets.ts';
import { viewSchema } from '../../../components/data/views/view.ts';

const [root, batchSize, workers, jitter] = process.argv.slice(2) as [string, string, string, string];

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jpg'))
  .map((name) => path.join(root, name))
  .sort();

const data: Dataset = {
  name: 'photos',
  count: files.length,
  classes: ['photo'],
  target: async () => 0,
  image: async (index) => ({ format: 'jpeg', file: files[index]! }),
};

const { jitter: beit, ...plain } = beitPretrainingView();
const loader = openLoader(data, {
  batchSize: Number(batchSize),
  workers: Number(workers),
  seed: 0,
  purpose: 'bench',
  view: viewSchema.parse(jitter === 'jitter' ? { ...plain, jitter: beit } : plain),
  pictures: { patches: {}, tokens: { size: 112, interpolation: 'lanczos' } },
});

let step = 0;
async function consume(batches: number): Promise<void> {
  for (const last = step + batches; step < last; step++) await loader.batch(step);
}

process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const [skip, count] = line.split(' ').map(Number) as [number, number];
  await consume(skip);
  process.stdout.write('begin\n');
  await consume(count);
  process.stdout.write('end\n');
}
process.exit(0);
