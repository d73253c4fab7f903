import { closeSync, openSync, writeSync } from 'node:fs';
import { textOfRuns } from '../../data/masks/text.ts';
import type { ImageInstances } from '../../data/targets.ts';
import type { Detection } from './detections.ts';

/** Detections in a file of COCO's results format, as detectron2 writes them: an array, a line each. */
export interface ResultsFile {
  add(target: Pick<ImageInstances, 'imageId' | 'height' | 'width'>, detections: readonly Detection[]): void;
  close(): void;
}

/** @param numbers of the classes in the annotations: `category_id` */
export function openResults(file: string, numbers: readonly number[]): ResultsFile {
  const handle = openSync(file, 'w');
  let isFirst = true;
  return {
    add({ imageId, height, width }, detections) {
      let text = '';
      for (const { class: index, score, box, mask } of detections) {
        const result = {
          ...{ image_id: imageId, category_id: numbers[index], bbox: box, score },
          segmentation: { size: [height, width], counts: textOfRuns(mask) },
        };
        text += `${isFirst ? '[\n' : ',\n'}${JSON.stringify(result)}`;
        isFirst = false;
      }
      writeSync(handle, text);
    },
    close() {
      writeSync(handle, isFirst ? '[]\n' : '\n]\n');
      closeSync(handle);
    },
  };
}
