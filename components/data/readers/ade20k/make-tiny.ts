/**
 * Makes `tiny/`: a folder like ADEChallengeData2016, small enough to ship. Smoke runs and tests read it.
 *
 *     node --import=tsx components/data/readers/ade20k/make-tiny.ts
 *
 * Its scenes are those of tiny-scenes.ts: items on the ground below a sky. Between sky and ground is a row of pixels that
 * are no class, as borders are in ADE20K. Some images are grey JPEGs.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { makeScenes, type Scene, type SceneClass } from '../tiny-scenes.ts';
import { ade20kClasses } from './classes.ts';
import { foldersOf } from './layout.ts';
import { tinyAde20k } from './tiny.ts';

/** Class of Fashion-MNIST -> a class of ADE20K; few of its classes are things to wear. */
const names: { readonly [label in SceneClass]: string } = {
  0: 'apparel',
  2: 'towel',
  3: 'curtain',
  4: 'blanket',
  5: 'stool',
  7: 'ottoman',
  8: 'bag',
  9: 'pot',
};

const numberOf = (name: string): number => ade20kClasses.indexOf(name) + 1;

async function makeTiny(root: string): Promise<void> {
  rmSync(root, { recursive: true, force: true });
  for (const [split, source, short] of [
    ['training', 'train', 'train'],
    ['validation', 'test', 'val'],
  ] as const) {
    const folders = foldersOf(root, split);
    for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
    const scenes = makeScenes(source, tinyAde20k.images[split], 'tiny-ade20k');
    for (const [n, scene] of scenes.entries()) {
      const stem = `ADE_${short}_${String(n + 1).padStart(8, '0')}`;
      const { height, width, colours } = scene;
      const image = sharp(colours, { raw: { height, width, channels: 3 } });
      const painted = n % 12 === 5 ? image.toColourspace('b-w') : image;
      writeFileSync(path.join(folders.images, `${stem}.jpg`), await painted.jpeg({ quality: 75 }).toBuffer());
      const map = sharp(labelsOf(scene), { raw: { height, width, channels: 1 } }).toColourspace('b-w');
      const file = await map.png({ compressionLevel: 9, palette: false }).toBuffer();
      writeFileSync(path.join(folders.labels, `${stem}.png`), file);
    }
  }
}

function labelsOf({ height, width, horizon, objects }: Scene): Uint8Array {
  const labels = new Uint8Array(height * width);
  for (const place of labels.keys()) {
    const y = Math.floor(place / width);
    labels[place] = y < horizon ? numberOf('sky') : y === horizon ? 0 : numberOf('field');
  }
  for (const { class: label, mask } of objects)
    for (const [place, is] of mask.entries()) if (is === 1) labels[place] = numberOf(names[label]);
  return labels;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeTiny(tinyAde20k.root);
