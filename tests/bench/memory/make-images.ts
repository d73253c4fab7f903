import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { inLanes } from '../../../components/data/ahead.ts';
import { random } from '../../../components/nn/random.ts';

const CLASSES = 10;
const SIZE = 256;
/** Of the coarse noise that becomes an image: it compresses as photographs do. */
const COARSE = 24;

/** Writes JPEG images of 256 x 256 pixels to `<root>/<class>/<number>.jpg`, each another one. */
export async function makeImages(root: string, count: number): Promise<void> {
  sharp.cache(false);
  for (let label = 0; label < CLASSES; label++)
    await mkdir(path.join(root, `class-${label}`), { recursive: true });
  await inLanes(count, 8, async (index) => {
    const noise = Buffer.alloc(COARSE * COARSE * 3);
    const draw = random(0, 'memory', index);
    for (let i = 0; i < noise.length; i++) noise[i] = draw.int(256);
    const jpeg = await sharp(noise, { raw: { width: COARSE, height: COARSE, channels: 3 } })
      .resize(SIZE, SIZE)
      .jpeg({ quality: 85 })
      .toBuffer();
    const name = `${String(index).padStart(6, '0')}.jpg`;
    await writeFile(path.join(root, `class-${index % CLASSES}`, name), jpeg);
  });
}
