/** Writes images for `your-own.ts` to a folder: `npx tsx docs/examples/make-images.ts FOLDER`. */
import fs from 'node:fs';
import path from 'node:path';
import { PNG } from 'pngjs';

const size = 16;
const classes = ['across', 'down'];
const counts = { train: 20, test: 10 }; // of each class

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('name a folder for the images');
for (const [split, count] of Object.entries(counts)) {
  for (const name of classes) {
    const place = path.join(folder, split, name);
    fs.mkdirSync(place, { recursive: true });
    for (let index = 0; index < count; index++) {
      const png = new PNG({ width: size, height: size });
      for (let pixel = 0; pixel < size * size; pixel++) {
        const position = name === 'across' ? Math.floor(pixel / size) : pixel % size;
        const grey = (position + index) % 6 < 3 ? 40 + index : 200 - index;
        png.data.set([grey, grey, 255 - grey, 255], 4 * pixel);
      }
      fs.writeFileSync(path.join(place, `${String(index).padStart(2, '0')}.png`), PNG.sync.write(png));
    }
  }
}
