import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import type { StageContext, StageResult } from '../../../framework/stage/contract.ts';
import { firstOf } from '../../data/subset.ts';
import type { LabelMap } from '../../data/targets.ts';
import type { Dataset } from '../../data/types.ts';
import { digestOf, KeptResults } from '../kept.ts';
import { resampled } from '../resampled.ts';
import type { HostWeights, Seeing } from './measure.ts';
import {
  addAreas,
  addSparse,
  noAreas,
  type SegmentationScores,
  type SparseAreas,
  scoresOf,
  scoresOfDrawn,
  sparse,
} from './test/confusion.ts';
import type { Predicted } from './test/evaluate.ts';
import { type Shown, shownImages, writePictures } from './test/pictures.ts';

/** What was predicted for an image, as it is kept. */
interface KeptAreas {
  /** By how many windows it was seen. */
  readonly windows: number;
  readonly areas: SparseAreas;
  /** The class of each pixel, deflated, in base64; of the images that are shown. */
  readonly labels?: string;
}

interface TestOptions {
  readonly engine: string;
  readonly weights: HostWeights;
  /** Called with the number of images that are done. */
  readonly tested?: (images: number) => void;
}

/**
 * Says the class of each pixel of all test images, measures that, and draws the first of them (`truth.png`,
 * `predictions.png`). The areas of each image become `areas.json`, as `SparseAreas`. What was predicted is kept in the work
 * folder, and all outputs are made of what is kept.
 *
 * @throws StageError if no pixel has a class
 */
export async function measureTest(
  { workDir, outDir, signal }: Pick<StageContext, 'workDir' | 'outDir' | 'signal'>,
  data: Dataset<LabelMap>,
  seeing: Seeing,
  { engine, weights, tested }: TestOptions,
): Promise<{ readonly scores: SegmentationScores } & Required<Pick<StageResult, 'resampled'>>> {
  const classes = data.classes.length;
  const file = path.join(workDir, `areas-${engine}.jsonl`);
  const kept = await KeptResults.open<KeptAreas>(file, `${digestOf(weights)} ${seeing.together}`);
  const from = await beginning(kept, seeing.together);
  for await (const predicted of kept.images < data.count ? seeing.over(data, from) : []) {
    const added = predicted.filter(({ image }) => image.index >= kept.images);
    await kept.append(
      added.map((one) => ({ image: one.image.index, count: 1, value: areasOf(one, classes) })),
    );
    tested?.(kept.images);
  }
  const areas = noAreas(classes);
  const images: SparseAreas[] = [];
  const maps: Uint8Array[] = [];
  for await (const { value } of kept.read()) {
    addSparse(areas, value.areas);
    images.push(value.areas);
    if (value.labels !== undefined) maps.push(inflateSync(Buffer.from(value.labels, 'base64')));
  }
  const shown: Shown[] = [];
  for await (const image of seeing.images(firstOf(data, shownImages)))
    shown.push({ image, labels: maps[image.index]! });
  await writePictures(outDir, shown);
  await writeFile(
    path.join(outDir, 'areas.json'),
    `[\n${images.map((image) => JSON.stringify(image)).join(',\n')}\n]\n`,
  );
  const scores = scoresOf(areas);
  const ofDrawn = (times: Int32Array) => ({ ...scoresOfDrawn(images, times, classes) });
  return { scores, resampled: await resampled(data.count, ofDrawn, signal) };
}

/** The last image, of those that are kept and the next one, whose first window begins a run of the program. */
async function beginning(kept: KeptResults<KeptAreas>, together: number): Promise<number> {
  let [windows, from] = [0, 0];
  for await (const { image, value } of kept.read()) {
    windows += value.windows;
    if (windows % together === 0) from = image + 1;
  }
  return from;
}

function areasOf({ image, labels, windows }: Predicted, classes: number): KeptAreas {
  const own = noAreas(classes);
  addAreas(own, labels, image.target.labels);
  const isShown = image.index < shownImages;
  return {
    ...{ windows, areas: sparse(own) },
    ...(isShown ? { labels: deflateSync(labels).toString('base64') } : {}),
  };
}
