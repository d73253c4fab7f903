import fs from 'node:fs';
import path from 'node:path';
import { StageError } from '../../framework/stage/stage-error.ts';

/** Rows of features with their labels, read by block: they need not be in memory. */
export interface FeatureRows {
  readonly count: number;
  /** Numbers a row. */
  readonly width: number;
  /** A class a row. */
  readonly labels: ArrayLike<number>;
  /** The rows at these places, `[places.length, width]`, as an array that the caller may not keep or change. */
  read(places: ArrayLike<number>): Float32Array;
}

/** Rows beyond this many bytes are in a file only. */
const MEMORY = 2 ** 30;

export interface FeatureStore {
  /** Appends whole rows. */
  append(rows: Float32Array): void;
  /** What an earlier store has written where the next rows will be: so many rows, or those that there are. */
  written(count: number): Float32Array;
  /** All rows that were appended. */
  done(labels: ArrayLike<number>): FeatureRows;
}

/**
 * A place for `count` rows: in a file of `folder`, so that a stage that was killed finds them again, and in memory unless they
 * take more than 1 GiB.
 */
export function storeFeatures(
  { count, width, folder, name }: { count: number; width: number; folder: string; name: string },
  memory = MEMORY,
): FeatureStore {
  const file = openRows(path.join(folder, `${name}.features`), width);
  if (count * width * Float32Array.BYTES_PER_ELEMENT > memory) return file;
  const all = new Float32Array(count * width);
  let filled = 0;
  return {
    append(rows) {
      file.append(rows);
      all.set(rows, filled);
      filled += rows.length;
    },
    written: file.written,
    done: (labels) => featuresInMemory(all.subarray(0, filled), width, labels),
  };
}

/** @param rows `[labels.length, width]` */
export function featuresInMemory(rows: Float32Array, width: number, labels: ArrayLike<number>): FeatureRows {
  return {
    count: labels.length,
    width,
    labels,
    read(places) {
      const out = new Float32Array(places.length * width);
      for (let i = 0; i < places.length; i++) {
        const from = places[i] * width;
        for (let d = 0; d < width; d++) out[i * width + d] = rows[from + d];
      }
      return out;
    },
  };
}

function openRows(file: string, width: number): FeatureStore {
  // Keeps what is there, and writes over it.
  const descriptor = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT);
  const rowBytes = width * Float32Array.BYTES_PER_ELEMENT;
  let end = 0;
  return {
    append: (rows) => {
      const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      for (let written = 0; written < bytes.length; )
        written += fs.writeSync(descriptor, bytes, written, bytes.length - written, end + written);
      end += bytes.length;
    },
    written(count) {
      const rows = new Float32Array(count * width);
      const got = fs.readSync(descriptor, new Uint8Array(rows.buffer), 0, count * rowBytes, end);
      return rows.subarray(0, Math.floor(got / rowBytes) * width);
    },
    done: (labels) => ({
      count: labels.length,
      width,
      labels,
      read(places) {
        const out = new Float32Array(places.length * width);
        const bytes = new Uint8Array(out.buffer);
        // Neighbours are read in one piece.
        for (let first = 0, last: number; first < places.length; first = last) {
          last = first + 1;
          while (last < places.length && places[last] === places[last - 1] + 1) last++;
          const length = (last - first) * rowBytes;
          const got = fs.readSync(descriptor, bytes, first * rowBytes, length, places[first] * rowBytes);
          if (got !== length) throw new StageError(`${file}: ends before row ${places[last - 1]}`);
        }
        return out;
      },
    }),
  };
}

/** The rows at these places only, in this order. */
export function featureSubset(features: FeatureRows, places: Int32Array): FeatureRows {
  return {
    count: places.length,
    width: features.width,
    labels: Int32Array.from(places, (place) => features.labels[place]),
    read: (asked) => features.read(Int32Array.from(asked, (place) => places[place])),
  };
}

/** Mean of each column, and the factor that gives it unit variance; 0 for a column that never varies. */
export interface Standardisation {
  readonly mean: Float64Array;
  readonly factor: Float64Array;
}

/** Two passes in float64, by block. */
export function standardisationOf(features: FeatureRows): Standardisation {
  const { count, width } = features;
  const mean = new Float64Array(width);
  const variance = new Float64Array(width);
  forEachBlock(features, (rows) => {
    for (let i = 0; i < rows.length; i++) mean[i % width] += rows[i] / count;
  });
  forEachBlock(features, (rows) => {
    for (let i = 0; i < rows.length; i++) variance[i % width] += (rows[i] - mean[i % width]) ** 2 / count;
  });
  // What rounding of equal float32 numbers leaves is no variance.
  const factor = variance.map((v, d) => (v > 1e-12 * mean[d] ** 2 ? 1 / Math.sqrt(v) : 0));
  return { mean, factor };
}

const BLOCK = 4096;

/** Visits all rows in order, up to 4,096 at once; `first` is the place of the block's first row. */
export function forEachBlock(
  features: FeatureRows,
  visit: (rows: Float32Array, first: number) => void,
): void {
  for (let first = 0; first < features.count; first += BLOCK) {
    const length = Math.min(BLOCK, features.count - first);
    visit(features.read(Int32Array.from({ length }, (_, i) => first + i)), first);
  }
}
