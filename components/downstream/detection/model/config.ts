import { z } from 'zod';
import { constant } from '../../../../framework/stage/constant.ts';

const count = z.int().positive();
const share = z.number().min(0).max(1);

/** So many in training and in evaluation. */
const both = (train: number, test: number) =>
  z.strictObject({ train: count.default(train), test: count.default(test) }).prefault({});

/**
 * Fields of Mask R-CNN (He et al. 2017) with a feature pyramid (Lin et al. 2017) on a vision transformer. Defaults are those of
 * torchvision's `MaskRCNN` and detectron2's `mask_rcnn_R_50_FPN`, for pictures of about 1,000 pixels in patches of 16. Sizes are
 * in pixels of the canvas.
 */
export const maskRcnnModelFields = {
  /** Channels of the maps of the feature pyramid, and of the proposals' convolution. */
  fpnChannels: count.default(256),
  /** The boxes that proposals begin as. */
  anchors: z
    .strictObject({
      /**
       * Side of a level's square anchor in its strides. 8 at the strides 4 to 64 of patch 16: 32, 64, 128, 256, 512 pixels.
       * Patches of 8 have anchors of 16 to 256.
       */
      scale: z.number().positive().default(8),
      /** Height over width of each anchor; all have the area of the square one. */
      ratios: constant(z.array(z.number().positive()).min(1)).default([0.5, 1, 2]),
    })
    .prefault({}),
  /** The network that proposes boxes. */
  rpn: z
    .strictObject({
      /** Best proposals of each level and image that go into the suppression; at most the level's anchors. */
      before: both(2000, 1000),
      /** Best proposals of each image that come out of it. torchvision's training: 2000. */
      after: both(1000, 1000),
      /** Of two proposals of a level that overlap by more (intersection over union), the worse one goes. */
      overlap: share.default(0.7),
      /** Anchors of an image that the loss looks at, and how many of them at most are positive. */
      samples: count.default(256),
      /** Of the samples, at most. */
      positives: share.default(0.5),
      /** Overlap with an object from which an anchor is positive, and below which it is negative. */
      positiveFrom: share.default(0.7),
      /** Between the two an anchor counts as neither. */
      negativeBelow: share.default(0.3),
    })
    .prefault({}),
  /** What classifies proposals and moves their boxes. */
  boxHead: z
    .strictObject({
      /** Side of what is cut from a map for each box. */
      size: count.default(7),
      /** Width of the two dense layers. */
      width: count.default(1024),
      /** Proposals of an image that the loss looks at, and how many of them at most are positive. */
      samples: count.default(512),
      /** Of the samples, at most. */
      positives: share.default(0.25),
      /** Overlap with an object from which a proposal is positive; below, it is background. */
      positiveFrom: share.default(0.5),
    })
    .prefault({}),
  /** What makes the masks. */
  maskHead: z
    .strictObject({
      /** Side of what is cut from a map for each box; masks are twice as large. */
      size: count.default(14),
      /** Convolutions, and the channels of them and of the deconvolution. */
      convolutions: count.default(4),
      /** Of each of them. */
      channels: count.default(256),
    })
    .prefault({}),
  /** How places are cut from the maps (RoIAlign). */
  pooling: z
    .strictObject({
      /** Samples along a side of each place that is cut. */
      samples: count.default(2),
      /** A box of this side is cut from the level with stride 2^`level`; one of half the side from the next finer level. */
      size: z.number().positive().default(224),
      /** See `size`. */
      level: z.int().nonnegative().default(4),
    })
    .prefault({}),
  /** What of a test image's boxes is kept. */
  detections: z
    .strictObject({
      /** Detections must have a score above. */
      score: share.default(0.05),
      /** Of two detections of a class that overlap by more, the worse one goes. */
      overlap: share.default(0.5),
      /** Best detections of an image, of all classes together. */
      most: count.default(100),
    })
    .prefault({}),
};

const schema = z.strictObject(maskRcnnModelFields);

export type MaskRcnnModelConfig = z.output<typeof schema>;

/** Side of the masks of the detector. */
export function maskSide({ maskHead }: Pick<MaskRcnnModelConfig, 'maskHead'>): number {
  return 2 * maskHead.size;
}
