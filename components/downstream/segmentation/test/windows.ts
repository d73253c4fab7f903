/** The squares by which a picture is looked at. */
export interface Windows {
  /** Height and width of each in pixels: that of the training's pictures. */
  readonly size: number;
  /** Pixels from one to the next; the last ones end with the picture. */
  readonly stride: number;
}

/** A picture of bytes, [height, width, 3]. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly bytes: Uint8Array;
}

/**
 * Where windows begin along one side, as in `slide_inference` of mmsegmentation. One begins at 0 where the picture is no longer
 * than a window.
 */
export function beginnings(length: number, { size, stride }: Windows): number[] {
  const count = Math.ceil(Math.max(length - size, 0) / stride) + 1;
  return Array.from({ length: count }, (_, place) => Math.max(0, Math.min(place * stride, length - size)));
}

export interface Place {
  readonly top: number;
  readonly left: number;
}

/** All windows of a picture, row by row. */
export function placesOf({ height, width }: Omit<Picture, 'bytes'>, windows: Windows): Place[] {
  return beginnings(height, windows).flatMap((top) =>
    beginnings(width, windows).map((left) => ({ top, left })),
  );
}

/**
 * Writes a window of a picture, mirrored pictures from the right, into `out` [size, size, 3]. What lies outside the picture
 * gets the colour `fill`.
 */
export function cutWindow(
  { height, width, bytes }: Picture,
  { top, left }: Place,
  out: Uint8Array,
  {
    size,
    mirrored,
    fill,
  }: { readonly size: number; readonly mirrored: boolean; readonly fill: readonly number[] },
): void {
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const to = (y * size + x) * 3;
      if (top + y >= height || left + x >= width) out.set(fill, to);
      else {
        const column = mirrored ? width - 1 - left - x : left + x;
        const from = ((top + y) * width + column) * 3;
        out[to] = bytes[from]!;
        out[to + 1] = bytes[from + 1]!;
        out[to + 2] = bytes[from + 2]!;
      }
    }
  }
}

/** Logits of a whole picture [height, width, classes]: the mean of the windows that see a pixel. */
export class MeanLogits {
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
  private readonly classes: number;
  /** How many windows see a pixel: with a small stride more than a byte counts. */
  private readonly seen: Uint32Array;

  constructor({ height, width }: Omit<Picture, 'bytes'>, classes: number) {
    this.height = height;
    this.width = width;
    this.classes = classes;
    this.values = new Float32Array(height * width * classes);
    this.seen = new Uint32Array(height * width);
  }

  /** @param logits [size, size, classes] of a window */
  add({ top, left }: Place, logits: Float32Array, size: number): void {
    const { height, width, classes, values, seen } = this;
    const columns = Math.min(size, width - left);
    for (let y = 0; y < Math.min(size, height - top); y++) {
      const to = ((top + y) * width + left) * classes;
      const from = y * size * classes;
      for (let i = 0; i < columns * classes; i++) values[to + i]! += logits[from + i]!;
      for (let x = 0; x < columns; x++) seen[(top + y) * width + left + x]!++;
    }
  }

  /** Divides the sums: call it once, after the last window. */
  finish(): void {
    const { classes, values, seen } = this;
    for (let pixel = 0; pixel < seen.length; pixel++) {
      const count = seen[pixel]!;
      if (count === 1) continue;
      for (let at = pixel * classes; at < (pixel + 1) * classes; at++) values[at]! /= count;
    }
  }
}
