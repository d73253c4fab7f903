import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { polygonRuns } from '../../../components/data/masks/polygon.ts';
import { maskArea, maskBox } from '../../../components/data/masks/runs.ts';
import { textOfRuns } from '../../../components/data/masks/text.ts';
import { type Random, random } from '../../../components/nn/random.ts';

const size = { height: 480, width: 640 };
const classes = 80;

/**
 * Images, objects and detections as many as in COCO's val2017: `truths.json` as COCO has it, and `results.jsonl`, the results of
 * an image a line, each with box and mask.
 */
export async function makeScenes(dir: string, images: number, objects: number, each: number): Promise<void> {
  const draw = random(1, 'coco-eval');
  const annotations: object[] = [];
  const results = createWriteStream(path.join(dir, 'results.jsonl'));
  for (let image = 0; image < images; image++) {
    const [first, last] = [image, image + 1].map((at) => Math.round((at * objects) / images));
    const truths = Array.from({ length: last - first }, (_, i) => shapeIn(draw, first + i + 1));
    for (const shape of truths) annotations.push(annotationOf(shape, image + 1, draw.uniform() < 0.012));
    const found = Array.from({ length: each }, () => detectionOf(draw, truths, image + 1));
    if (!results.write(`${JSON.stringify(found)}\n`)) await once(results, 'drain');
  }
  results.end();
  await finished(results);
  const about = Array.from({ length: images }, (_, image) => ({ id: image + 1, ...size }));
  const categories = Array.from({ length: classes }, (_, index) => ({
    id: index + 1,
    name: `class ${index}`,
  }));
  writeFileSync(path.join(dir, 'truths.json'), JSON.stringify({ images: about, categories, annotations }));
}

interface Shape {
  readonly id: number;
  readonly class: number;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Share of the radius in each direction. */
  readonly corners: readonly number[];
}

/** Sizes as COCO's: as many small as large ones. */
function shapeIn(draw: Random, id: number): Shape {
  return {
    id,
    class: draw.int(classes),
    x: draw.uniform() * size.width,
    y: draw.uniform() * size.height,
    radius: 6 * 30 ** draw.uniform(),
    corners: Array.from({ length: 8 + draw.int(40) }, () => 0.6 + 0.4 * draw.uniform()),
  };
}

function outlineOf({ x, y, radius, corners }: Shape): number[] {
  return corners.flatMap((share, i) => {
    const angle = (2 * Math.PI * i) / corners.length;
    const [px, py] = [x + radius * share * Math.cos(angle), y + radius * share * Math.sin(angle)];
    const inside = (value: number, most: number) =>
      Math.round(Math.max(0, Math.min(value, most)) * 100) / 100;
    return [inside(px, size.width), inside(py, size.height)];
  });
}

function annotationOf(shape: Shape, image: number, crowd: boolean): object {
  const outline = outlineOf(shape);
  const runs = polygonRuns(outline, size);
  return {
    ...{ id: shape.id, image_id: image, category_id: shape.class + 1, iscrowd: Number(crowd) },
    ...{ area: maskArea(runs), bbox: maskBox(runs) },
    segmentation: crowd ? { size: [size.height, size.width], counts: [...runs.counts] } : [outline],
  };
}

/** Most are near an object, some of these of another class. */
function detectionOf(draw: Random, truths: readonly Shape[], image: number): object {
  const near = draw.uniform() < 0.7 && truths.length > 0 ? truths[draw.int(truths.length)] : undefined;
  const base = near ?? shapeIn(draw, 0);
  const moved = (value: number) => value + (near ? 0.3 * base.radius * (draw.uniform() - 0.5) : 0);
  const shape = {
    ...base,
    ...(draw.uniform() < 0.2 ? { class: draw.int(classes) } : {}),
    ...{ x: moved(base.x), y: moved(base.y), radius: base.radius * (near ? 0.8 + 0.4 * draw.uniform() : 1) },
  };
  const runs = polygonRuns(outlineOf(shape), size);
  return {
    ...{ image_id: image, category_id: shape.class + 1, bbox: maskBox(runs) },
    score: Math.round((near ? draw.uniform() : 0.5 * draw.uniform()) * 1000) / 1000,
    segmentation: { size: [size.height, size.width], counts: textOfRuns(runs) },
  };
}
