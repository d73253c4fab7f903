import fs from 'node:fs';
import test from 'ava';
import sharp from 'sharp';
import { createRig, until } from '../support/rig.ts';
import { findStageProcess, latestCheckpoint, readEntries } from '../support/small.ts';

const linuxTest = process.platform === 'linux' ? test.serial : test.serial.skip;

const steps = 60;
const experiment = `
import { ablationTable, defineExperiment, imageFolder, linearProbe, maskedImageModelling, vit, vqvae } from 'peco-exp';

const tokenizer = vqvae({
  width: 16, residualBlocks: 1, codebook: { size: 16, dim: 4 }, steps: 2, batchSize: 16, view: { size: 16 },
});

export default defineExperiment({
  name: 'images',
  seeds: [0],
  data: { train: imageFolder({ root: 'images' }), test: imageFolder({ root: 'images' }) },
  tokenizers: { pixel: tokenizer },
  pretraining: {
    base: maskedImageModelling({
      backbone: vit({ dim: 16, depth: 1, heads: 2, patch: 16 }), steps: ${steps}, batchSize: 16, microBatch: 8,
      view: { size: 32, crop: { kind: 'random-resized' }, jitter: 0.4 },
      tokens: { size: 16, interpolation: 'lanczos' },
    }),
  },
  downstream: { probe: linearProbe({ layer: 1, labels: 9, view: { size: 32 } }) },
  baseline: 'pixel',
  report: ablationTable({}),
});
`;

linuxTest(
  'a pretraining on two jittered pictures of each image of a folder, killed while batches were prepared ahead, ends in the same bytes',
  async (t) => {
    const rig = createRig(t, { 'experiment.ts': experiment });
    // Of other sizes and formats; more than two epochs are shown.
    for (let index = 0; index < 30; index++) {
      const folder = rig.file(`images/class-${index % 3}`);
      fs.mkdirSync(folder, { recursive: true });
      const [width, height] = [20 + index, 45 - index];
      const raw = Buffer.from(Array.from({ length: width * height * 3 }, (_, i) => (i * (index + 3)) % 251));
      const image = sharp(raw, { raw: { width, height, channels: 3 } });
      await image.toFile(`${folder}/${index}.${['jpg', 'png', 'webp'][index % 3]}`);
    }
    const run = ['run', 'experiment.ts', '--upto', 'pretraining/pixel'];
    // Another number of threads, too, where there are several cores: neither may matter.
    const whole = await rig.peco(...run, '--store', 'whole', '--jobs', '1');
    t.is(whole.code, 0, whole.stderr);

    process.env.PECO_CHECKPOINT_SECONDS = '0';
    const killed = rig.start(...run, '--store', 'killed', '--jobs', '2');
    await until(() => latestCheckpoint(rig, 'killed') >= 5);
    process.kill(findStageProcess(killed.process.pid!, 'pretraining/pixel/base/seed-0')!, 'SIGKILL');
    killed.process.kill('SIGKILL');
    await killed.done;
    const step = latestCheckpoint(rig, 'killed');
    t.true(step >= 5 && step < steps, `killed at ${step}`);
    delete process.env.PECO_CHECKPOINT_SECONDS;

    t.is((await rig.peco(...run, '--store', 'killed', '--jobs', '2')).code, 0);
    const [first, second] = ['whole', 'killed'].map((store) =>
      [...readEntries(rig, store).values()].find(({ provenance }) =>
        provenance.stage.startsWith('pretraining'),
      ),
    );
    t.truthy(first);
    t.is(second?.key, first?.key);
    t.is(second?.digest, first?.digest);
    t.is(second?.provenance.resumedFrom, step);
  },
);
