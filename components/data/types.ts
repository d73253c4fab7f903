/** A rectangle of an image, in pixels. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Labelled images in memory. What a component of role `dataset` loads to.
 *
 * Its component should provide, as far as it is cheap to know, `images` (the count), `size`, `channels`, `classes` (how
 * many) and `perClass` (images of each class): then configs that don't fit are refused before anything runs.
 */
export interface Dataset {
  /** For reports: `fashion-mnist train [0, 10000)`. */
  readonly name: string;
  readonly count: number;
  /** Height and width of every image in pixels. */
  readonly size: number;
  readonly channels: 3;
  /** Names of the classes; a label is an index into it. */
  readonly classes: readonly string[];
  /**
   * Where the picture is, in pixels, if the images are padded with a constant: what is measured is measured there.
   * Absent: everywhere.
   */
  readonly window?: Window;
  /** One label an image. */
  readonly labels: Int32Array;
  /**
   * The images of these indices, in this order: `[indices.length, size, size, 3]`, values in [0, 1].
   * The array is the caller's to keep. Throws RangeError for an index outside [0, count).
   */
  read(indices: ArrayLike<number>): Float32Array;
}
