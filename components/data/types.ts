/** A rectangle of an image, in pixels. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** An image as a reader has it: nothing is decoded yet, or there was nothing to decode. */
export type ImageBytes = EncodedImage | ImageFile | ({ readonly format: 'raw' } & Pixels);

/** An image in one of the formats that are decoded; the bytes say which. */
export interface EncodedImage {
  readonly format: 'jpeg' | 'png' | 'webp';
  readonly bytes: Uint8Array;
  /** For messages: the file that it comes from. */
  readonly from?: string;
  /** An image of more is not decoded. Absent: 100 million. */
  readonly maxPixels?: number;
}

/**
 * The same in a file: the threads that decode it read it too, also while a step of the training keeps this thread from
 * everything else. What is read here, before, waits for the step.
 */
export interface ImageFile {
  readonly format: EncodedImage['format'];
  /** Absolute path. */
  readonly file: string;
  readonly maxPixels?: number;
}

/** Decoded pixels, one byte a channel, row by row: `[height, width, channels]`. */
export interface Pixels {
  readonly bytes: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** 1: grey, which a network sees as three equal channels. */
  readonly channels: 1 | 3;
}

/**
 * Images by index, each with its target. What a component of role `dataset` loads to. Nothing is decoded and nothing
 * need be held: what a training or an evaluation sees of an image is for its `View` to say, and `openLoader` and
 * `onePass` (loader.ts) make batches of it.
 *
 * `Target`: the number of a class, any number of classes; a label map; instances.
 *
 * Its component should provide, as far as it is cheap to know, `target` (a `TargetKind` of targets.ts), `images` (the
 * count), `size` (height and width of all images, or null where they differ), `channels`, `classes` (how many),
 * `classNames` and, of a class for each image, `perClass` (images of each class): then configs that don't fit are refused
 * before anything runs.
 */
export interface Dataset<Target = number> {
  /** For reports: `fashion-mnist train [0, 10000)`. */
  readonly name: string;
  readonly count: number;
  /** Names of the classes; a target that is a number is an index into it, and refused if it is none. */
  readonly classes: readonly string[];
  /** Numbers that the classes have in files of the official format, such as COCO's categories. Absent: 1, 2, and so on. */
  readonly classNumbers?: readonly number[];
  /** Height and width of every image in pixels, where all have the same: an image of another size is refused. */
  readonly imageSize?: number;
  /**
   * Where the picture is, in pixels, if the images are padded with a constant: what is measured is measured there.
   * Absent: everywhere.
   */
  readonly window?: Window;
  /** Images that were left out, since they can't be decoded: `count` and all indices are without them. */
  readonly skipped?: readonly { readonly name: string; readonly reason: string }[];
  /** What a user should know of it that is no error, a line each: its stage warns of it and the table says it. */
  readonly notes?: readonly string[];
  /** The target of an image. Cheap: it opens no image. Rejects with a RangeError for an index outside [0, count). */
  target(index: number): Promise<Target>;
  /** An image. The bytes are the reader's: callers don't change them. Rejects as `target` does. */
  image(index: number): Promise<ImageBytes>;
}
