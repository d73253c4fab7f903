/**
 * The class of each pixel of an image. A PNG of one channel, 8 or 16 bits, or with a palette, whose indices then are the
 * numbers; or its numbers themselves, row by row.
 */
export type LabelMap = { readonly numbering: LabelNumbering } & (
  | { readonly format: 'png'; readonly file: string }
  | { readonly format: 'png'; readonly bytes: Uint8Array; readonly from?: string }
  | {
      readonly format: 'raw';
      readonly numbers: Uint8Array | Uint16Array;
      readonly height: number;
      readonly width: number;
    }
);

/**
 * What the numbers of a label map mean. `from-0`: the index of a class, and 255 is no class. `from-1`: the index of a class
 * plus 1, and 0 is no class, as in ADE20K (`reduce_zero_label` of mmsegmentation).
 */
export type LabelNumbering = 'from-0' | 'from-1';

/** Of a pixel that is no class, wherever label maps are in memory: it counts in no loss and in no measure. */
export const noClass = 255;

/** The objects of an image, as COCO annotates them. */
export interface ImageInstances {
  /** Number of the image in the annotations. */
  readonly imageId: number;
  /** In pixels: boxes and masks go by these. */
  readonly height: number;
  readonly width: number;
  readonly instances: readonly Instance[];
}

/** An annotated object of an image. */
export interface Instance {
  /** Number of the annotation. */
  readonly id: number;
  /** Index into the classes of the data set. */
  readonly class: number;
  /** Left, top, width, height in pixels, fractions included; pixel i covers [i, i + 1). */
  readonly box: readonly [left: number, top: number, width: number, height: number];
  /** Square pixels of the mask, as the annotations say: what small, medium and large go by. */
  readonly area: number;
  /** Whether it is a group that isn't taken apart: never learnt from, and no detection in it is wrong. */
  readonly crowd: boolean;
  /** Absent where the annotations have boxes only. */
  readonly mask?: Polygons | RunLengths;
}

/** Outlines in pixels, each x0, y0, x1, y1, ...: the mask is all that is in one of them. */
export interface Polygons {
  readonly outlines: readonly (readonly number[])[];
}

/** A mask as lengths of runs of zeros and ones in turn, zeros first, column by column: COCO's uncompressed RLE. */
export interface RunLengths {
  readonly height: number;
  readonly width: number;
  readonly counts: Uint32Array;
}

/** What a data set gives beside each image, as it `provides` it. */
export type TargetKind = 'class' | 'label map' | 'instances';
