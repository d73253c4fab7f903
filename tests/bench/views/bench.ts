import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { onePass, openLoader, type Sampled } from '../../../components/data/loader.ts';
import { tinyImageNet } from '../../../components/data/readers/image-folder/tiny.ts';
import type { Dataset } from '../../../components/data/types.ts';
import { beitFineTuningView, beitPretrainingView } from '../../../components/data/views/presets.ts';
import { stillViewSchema, viewSchema } from '../../../components/data/views/view.ts';
import { mixesOf } from '../../../components/downstream/finetune/mixing.ts';
import { random } from '../../../components/nn/random.ts';
import { maskingOf } from '../../../components/pretraining/mask-fields.ts';
import { blockMask } from '../../../components/pretraining/masking.ts';
import { type Column, mixed, overlaid, type Picture, pictureAt, sheetOf } from './sheet.ts';
import { timeChanges } from './times.ts';

const SEED = 5;
const SIZE = 224;

/**
 * Draws a contact sheet of what trainings see of some photos, and measures what each change of a picture takes.
 *
 * Columns: the middle of the image; for each of three epochs BEiT's picture with its mask and the tokenizer's picture of 112
 * pixels; BEiT's fine-tuning view in four epochs; mixup and cutmix of that view; the picture of an evaluation.
 *
 * @param folder of image files; absent: the tiny folder that ships with the package
 */
export async function benchViews({ folder, out }: { folder?: string | undefined; out: string }) {
  const data = photosIn(folder ?? path.join(tinyImageNet.train, readdirSync(tinyImageNet.train)[0]!), 4);
  const columns: Column[] = [
    await still(data, { size: SIZE }),
    ...(await pretraining(data)),
    ...(await fineTuning(data)),
    await still(data, { size: SIZE, crop: { kind: 'centre', share: 224 / 256 } }),
  ];
  mkdirSync(path.dirname(path.resolve(out)), { recursive: true });
  writeFileSync(out, await sheetOf(columns));
  process.stdout.write(`${out}: ${data.count} photos, ${columns.length} columns\n\n`);
  timeChanges();
}

function photosIn(folder: string, most: number): Dataset {
  const files = readdirSync(folder)
    .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
    .sort()
    .slice(0, most);
  return {
    ...{ name: folder, count: files.length, classes: ['photo'] },
    target: async () => 0,
    async image(index) {
      const file = path.join(folder, files[index]!);
      const format = /png$/i.test(file) ? 'png' : /webp$/i.test(file) ? 'webp' : 'jpeg';
      return { format, bytes: readFileSync(file), from: file };
    },
  };
}

async function still(data: Dataset, view: z.input<typeof stillViewSchema>): Promise<Column> {
  const options = { batchSize: data.count, view: stillViewSchema.parse(view), pictures: { images: {} } };
  for await (const batch of onePass(data, { ...options, workers: 0 })) return inOrder(batch, 'images');
  return [];
}

/** BEiT's two pictures of three epochs. */
async function pretraining(data: Dataset): Promise<Column[]> {
  const tokens = { size: 112, interpolation: 'lanczos' as const };
  const loader = openLoader(data, {
    ...{ batchSize: data.count, seed: SEED, purpose: 'pretraining', workers: 0 },
    view: viewSchema.parse(beitPretrainingView({ size: SIZE })),
    pictures: { patches: {}, tokens },
  });
  const masking = maskingOf({ maskRatio: 75 / 196 }, SIZE / 16);
  const columns: Column[] = [];
  for (let epoch = 0; epoch < 3; epoch++) {
    const batch = await loader.batch(epoch);
    const masked = inOrder(batch, 'patches').map((picture, image) =>
      overlaid(picture, blockMask(random(SEED, 'mask', epoch, image), masking), masking.side),
    );
    columns.push(masked, inOrder(batch, 'tokens'));
  }
  await loader.close();
  return columns;
}

/** Four epochs of BEiT's fine-tuning view; then the pictures of a fifth, mixed. */
async function fineTuning(data: Dataset): Promise<Column[]> {
  const loader = openLoader(data, {
    ...{ batchSize: data.count, seed: SEED, purpose: 'fine-tuning', workers: 0 },
    view: viewSchema.parse(beitFineTuningView({ size: SIZE })),
    pictures: { images: {} },
  });
  const epochs: Column[] = [];
  for (let epoch = 0; epoch < 5; epoch++) epochs.push(inOrder(await loader.batch(epoch), 'images'));
  await loader.close();
  const last = epochs.pop()!;
  const mix = (fields: { mixup: number; cutmix: number }, seed: number): Column => {
    const mixing = { probability: 1, cutmixShare: 0.5, group: 2 };
    const place = { seed, step: 0, first: 0, count: data.count };
    return mixed(last, mixesOf({ ...fields, mixing }, place, SIZE));
  };
  return [...epochs, mix({ mixup: 0.8, cutmix: 0 }, 0), mix({ mixup: 0, cutmix: 1 }, SEED)];
}

/** Pictures of a batch in the order of the images. */
function inOrder<N extends string>(batch: Sampled<number, N>, name: N): Picture[] {
  const places = [...batch.indices.keys()].sort((a, b) => batch.indices[a]! - batch.indices[b]!);
  return places.map((place) => pictureAt(batch.pictures[name], place));
}
