/**
 * Makes `tiny/`: a folder like ImageNet-1K as it is distributed, small enough to ship. Smoke runs and tests read it.
 *
 *     node --import=tsx components/data/readers/image-folder/make-tiny.ts
 *
 * Its images are those of Fashion-MNIST that ship with this package, coloured and enlarged. It has what real folders
 * have: other sizes, greys, inks (CMYK), a PNG with the name of a JPEG, orientation by EXIF, a progressive file.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { random } from '../../../nn/random.ts';
import { readIdx } from '../../decode/idx.ts';
import { SHIPPED_FILES } from '../fashion-mnist/files.ts';

const SIDE = 28;
const TRAIN_IMAGES = 10;
const VAL_IMAGES = 3;

/** Class of Fashion-MNIST -> the class of ImageNet that is nearest. */
const WNIDS: ReadonlyMap<number, string> = new Map([
  [0, 'n03595614'], // jersey, T-shirt
  [2, 'n04370456'], // sweatshirt
  [3, 'n03450230'], // gown
  [4, 'n04479046'], // trench coat
  [5, 'n04133789'], // sandal
  [7, 'n04120489'], // running shoe
  [8, 'n02769748'], // backpack
  [9, 'n03124043'], // cowboy boot
]);

type Kind = 'plain' | 'grey' | 'inks' | 'png' | 'turned' | 'progressive';

/** By number of the train image; the others are plain. */
const ODD: ReadonlyMap<number, Kind> = new Map([
  [4, 'grey'],
  [17, 'inks'],
  [23, 'grey'],
  [35, 'png'],
  [46, 'turned'],
  [58, 'progressive'],
  [71, 'grey'],
]);

async function makeTiny(root: string): Promise<void> {
  rmSync(root, { recursive: true, force: true });
  const train = readShipped('train');
  const val = readShipped('test');
  let number = 0;
  for (const [label, wnid] of WNIDS) {
    for (const pixels of train(label, TRAIN_IMAGES)) {
      const name = `${wnid}_${1000 + 37 * number}.JPEG`;
      write(path.join(root, 'train', wnid, name), await encode(pixels, number, ODD.get(number) ?? 'plain'));
      number += 1;
    }
  }
  const list: string[] = [];
  for (let round = 0; round < VAL_IMAGES; round++) {
    for (const [label, wnid] of WNIDS) {
      const bytes = await encode(val(label, VAL_IMAGES)[round]!, 1000 + list.length, 'plain');
      const name = `ILSVRC2012_val_${String(list.length + 1).padStart(8, '0')}.JPEG`;
      write(path.join(root, 'val', wnid, name), bytes);
      write(path.join(root, 'val-flat', name), bytes);
      list.push(`${name} ${wnid}`);
    }
  }
  const wnids = [...WNIDS.values()];
  const ids = list.map((line) => wnids.indexOf(line.split(' ')[1]!) + 1);
  for (const [name, lines] of [
    ['val.txt', list],
    ['ground-truth.txt', ids],
    ['synsets.txt', wnids],
  ] as const)
    write(path.join(root, name), `${lines.join('\n')}\n`);
}

function readShipped(split: 'train' | 'test'): (label: number, count: number) => Uint8Array[] {
  const shipped = (name: string): string =>
    fileURLToPath(new URL(`../fashion-mnist/${name}`, import.meta.url));
  const files = {
    images: shipped(SHIPPED_FILES[split].images),
    labels: shipped(SHIPPED_FILES[split].labels),
  };
  const images = readIdx(files.images, 3).data;
  const labels = readIdx(files.labels, 1).data;
  return (label, count) =>
    [...labels.keys()]
      .filter((index) => labels[index] === label)
      .slice(0, count)
      .map((index) => images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE));
}

/** Grey becomes a mixture of two colours; height and width are 40 to 60 pixels. */
async function encode(grey: Uint8Array, number: number, kind: Kind): Promise<Buffer> {
  const draw = random(0, 'tiny-imagenet', number);
  const [light, dark] = [colour(draw), colour(draw)];
  const rgb = Buffer.alloc(grey.length * 3);
  for (const [place, value] of grey.entries())
    for (let channel = 0; channel < 3; channel++)
      rgb[3 * place + channel] = dark[channel]! + ((light[channel]! - dark[channel]!) * value) / 255;
  const [width, height] = [40 + draw.int(21), 40 + draw.int(21)];
  const image = sharp(rgb, { raw: { width: SIDE, height: SIDE, channels: 3 } }).resize(width, height, {
    fit: 'fill',
  });
  return save(image, kind).toBuffer();
}

function save(image: Sharp, kind: Kind): Sharp {
  if (kind === 'grey') return image.toColourspace('b-w').jpeg({ quality: 80 });
  if (kind === 'inks') return image.toColourspace('cmyk').jpeg({ quality: 80 });
  if (kind === 'png') return image.png({ palette: true });
  if (kind === 'turned') return image.withMetadata({ orientation: 6 }).jpeg({ quality: 80 });
  return image.jpeg({ quality: 80, progressive: kind === 'progressive' });
}

function colour(draw: ReturnType<typeof random>): number[] {
  return Array.from({ length: 3 }, () => draw.int(256));
}

function write(file: string, bytes: Uint8Array | string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await makeTiny(fileURLToPath(new URL('./tiny', import.meta.url)));
