/**
 * Makes the data that this folder ships with, from the four official files of Fashion-MNIST
 * (Debian: package `dataset-fashion-mnist`, folder /usr/share/datasets/fashion-mnist):
 *
 *     node --import=tsx components/data/readers/fashion-mnist/make-subset.ts FOLDER
 *
 * Train: the first 1,000 images of each class in file order, kept in file order. Test: the whole split.
 * The bytes it writes depend on nothing but the bytes it reads (and zlib's version).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';
import { formatIdx, type IdxFile, readIdx } from '../../decode/idx.ts';
import { type FashionMnistSplit, officialFiles, SHIPPED_FILES } from './files.ts';

const PER_CLASS = 1000;

/** Indices of the first `perClass` entries of each class, ascending. */
export function firstOfEachClass(labels: Uint8Array, perClass: number): number[] {
  const seen = new Map<number, number>();
  return Array.from(labels.keys()).filter((index) => {
    const label = labels[index]!;
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return before < perClass;
  });
}

function take({ shape, data }: IdxFile, indices: readonly number[]): IdxFile {
  const stride = shape.slice(1).reduce((product, extent) => product * extent, 1);
  const taken = new Uint8Array(indices.length * stride);
  for (const [to, from] of indices.entries()) {
    taken.set(data.subarray(from * stride, (from + 1) * stride), to * stride);
  }
  return { shape: [indices.length, ...shape.slice(1)], data: taken };
}

function write(name: string, file: IdxFile): void {
  const target = join(fileURLToPath(new URL('.', import.meta.url)), name);
  const packed = gzipSync(formatIdx(file), { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(target, packed);
  process.stdout.write(`${name}: ${file.shape.join('x')}, ${packed.length} bytes\n`);
}

function makeSubset(folder: string): void {
  for (const split of ['train', 'test'] as const satisfies readonly FashionMnistSplit[]) {
    const official = officialFiles(folder, split);
    const images = readIdx(official.images, 3);
    const labels = readIdx(official.labels, 1);
    const indices =
      split === 'train' ? firstOfEachClass(labels.data, PER_CLASS) : Array.from(labels.data.keys());
    write(SHIPPED_FILES[split].images, take(images, indices));
    write(SHIPPED_FILES[split].labels, take(labels, indices));
  }
}

const isMain = process.argv[1] === fileURLToPath(import.meta.url);
if (isMain) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('which folder has the four official files of Fashion-MNIST?');
  makeSubset(folder);
}
