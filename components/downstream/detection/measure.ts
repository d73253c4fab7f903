import { StageError } from '../../../framework/stage/stage-error.ts';
import type { Measured } from '../../data/masks/overlap.ts';
import { runsOf } from '../../data/masks/polygon.ts';
import type { Box } from '../../data/masks/runs.ts';
import type { ImageInstances, RunLengths } from '../../data/targets.ts';
import { CocoEvaluation } from './coco-eval/evaluation.ts';
import { boxes, masks } from './coco-eval/regions.ts';
import type { CocoNumbers, CocoSummary } from './coco-eval/summary.ts';
import type { Detection } from './detections.ts';
import { noObjects } from './has-objects.ts';

/** COCO's evaluation of boxes and of masks, image by image. */
export interface DetectionMeasure {
  /** @throws StageError that names the annotation, if it has no mask, or one that can't be drawn */
  add(target: ImageInstances, detections: readonly Detection[]): void;
  /** @param times how often each image counts, in their order; without it once */
  summary(times?: Int32Array): { readonly boxes: CocoSummary; readonly masks: CocoSummary };
}

export function openMeasure(classes: number): DetectionMeasure {
  const byBox = new CocoEvaluation<Box, Box>(boxes, classes);
  const byMask = new CocoEvaluation<RunLengths, Measured>(masks, classes);
  return {
    add(target, detections) {
      const { imageId, instances } = target;
      byBox.add({
        imageId,
        truths: instances.map((instance) => ({ ...instance, region: instance.box })),
        detections: detections.map((found) => ({ ...found, region: found.box })),
      });
      byMask.add({
        imageId,
        truths: instances.map((instance) => ({ ...instance, region: maskOf(instance, target) })),
        detections: detections.map((found) => ({ ...found, region: found.mask })),
      });
    },
    summary: (times) => ({ boxes: byBox.summary(times), masks: byMask.summary(times) }),
  };
}

/** COCO's numbers as metrics of a stage: `boxAP`, `maskAP50` and so on; those that there are. */
export function metricsOf(summary: ReturnType<DetectionMeasure['summary']>): {
  readonly [name: string]: number;
} {
  const named = (prefix: string, numbers: CocoNumbers) =>
    Object.entries(numbers).map(([name, value]) => [`${prefix}${name}`, value as number] as const);
  return Object.fromEntries([
    ...named('box', summary.boxes.numbers),
    ...named('mask', summary.masks.numbers),
  ]);
}

/** How good detections of held-out images are: the mean of both APs. @throws StageError if there is nothing to be found in them */
export function scoreOf({ boxes: byBox, masks: byMask }: ReturnType<DetectionMeasure['summary']>): number {
  const [box, mask] = [byBox.numbers.AP, byMask.numbers.AP];
  if (box !== undefined && mask !== undefined) return (box + mask) / 2;
  throw noObjects('held');
}

function maskOf(instance: ImageInstances['instances'][number], target: ImageInstances): RunLengths {
  const { id, mask } = instance;
  const where = `annotation ${id} of image ${target.imageId}`;
  if (!mask)
    throw new StageError(`${where} has no mask`, {
      hint: 'take annotations with masks: Mask R-CNN learns them',
    });
  try {
    return runsOf(mask, target);
  } catch (cause) {
    throw new StageError(`${where}: ${(cause as Error).message}`, { cause });
  }
}
