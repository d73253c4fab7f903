import fs from 'node:fs';
import path from 'node:path';
import { cocoCategories } from '../../../components/data/readers/coco/classes.ts';
import { random } from '../../../components/nn/random.ts';

/** Sizes of images that COCO has most of: width, height. */
const sizes = [
  [640, 480],
  [480, 640],
  [640, 427],
  [500, 375],
] as const;

/** Of instances_train2017.json: 860,001 annotations, of which 10,498 are groups, of 118,287 images. */
const objectsAnImage = 860_001 / 118_287;
const groupEvery = 82;

/**
 * Writes `annotations/instances_train2017.json` and empty images in `train2017`: as many annotations an image as the official
 * file has, of polygons of 3 to some hundred points, and groups as run lengths. 118,287 images make a file of its size, 448 MB.
 */
export function makeAnnotations(root: string, images: number): string {
  fs.mkdirSync(path.join(root, 'annotations'), { recursive: true });
  fs.mkdirSync(path.join(root, 'train2017'), { recursive: true });
  const file = path.join(root, 'annotations/instances_train2017.json');
  const descriptor = fs.openSync(file, 'w');
  let text = '{"info": {"description": "COCO 2017 Dataset"}, "images": [';
  const write = (more: string): void => {
    text += more;
    if (text.length < 1 << 20) return;
    fs.writeSync(descriptor, text);
    text = '';
  };
  for (let n = 0; n < images; n++) {
    const [width, height] = sizes[n % sizes.length]!;
    const name = `${String(idOf(n)).padStart(12, '0')}.jpg`;
    fs.closeSync(fs.openSync(path.join(root, 'train2017', name), 'w'));
    write(
      `${n === 0 ? '' : ', '}{"license": 3,"file_name": "${name}","coco_url": "http://images.cocodataset.org/train2017/${name}","height": ${height},"width": ${width},"date_captured": "2013-11-14 11:18:45","flickr_url": "http://farm9.staticflickr.com/8186/8119368305_4e622c8349_z.jpg","id": ${idOf(n)}}`,
    );
  }
  write('], "annotations": [');
  const draw = random(0, 'bench-annotations');
  for (let n = 0; n < Math.round(objectsAnImage * images); n++) {
    const image = draw.int(images);
    const [width, height] = sizes[image % sizes.length]!;
    const isGroup = n % groupEvery === 0;
    const segmentation = isGroup ? runs(width, height, draw) : outline(width, height, draw);
    const [w, h] = [width * draw.uniform() * 0.5, height * draw.uniform() * 0.5];
    const box = [(width - w) * draw.uniform(), (height - h) * draw.uniform(), w, h];
    write(
      `${n === 0 ? '' : ', '}{"segmentation": ${segmentation},"area": ${(w * h * 0.6).toFixed(4)},"iscrowd": ${isGroup ? 1 : 0},"image_id": ${idOf(image)},"bbox": [${box.map((side) => side.toFixed(2)).join(', ')}],"category_id": ${cocoCategories[n % 80]!.id},"id": ${n + 1}}`,
    );
  }
  fs.writeSync(descriptor, `${text}], "categories": ${JSON.stringify(cocoCategories)}}`);
  fs.closeSync(descriptor);
  return file;
}

function idOf(image: number): number {
  return 9 + 5 * image;
}

type Draw = ReturnType<typeof random>;

function outline(width: number, height: number, draw: Draw): string {
  const points = 3 + Math.floor(-20.5 * Math.log(1 - draw.uniform()));
  const coordinates = Array.from({ length: 2 * points }, (_, n) =>
    ((n % 2 === 0 ? width : height) * draw.uniform()).toFixed(2),
  );
  return `[[${coordinates.join(', ')}]]`;
}

function runs(width: number, height: number, draw: Draw): string {
  const counts: number[] = [];
  for (let left = width * height; left > 0; left -= counts.at(-1)!)
    counts.push(Math.min(left, 1 + draw.int(1500)));
  return `{"counts": [${counts.join(', ')}], "size": [${height}, ${width}]}`;
}
