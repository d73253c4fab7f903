import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Dataset, LoadFunction } from 'peco-exp';
import { PNG } from 'pngjs';

export const load: LoadFunction<Dataset> = async ({ files: { images: root } }) => {
  const classes = readdirSync(root).sort();
  const images = classes.flatMap((name, label) => {
    const files = readdirSync(path.join(root, name)).sort();
    return files.map((file) => ({ label, png: PNG.sync.read(readFileSync(path.join(root, name, file))) }));
  });
  const size = images[0].png.width;
  return {
    name: `png-folder of ${images.length} images`,
    count: images.length,
    size,
    channels: 3,
    classes,
    labels: Int32Array.from(images, ({ label }) => label),
    read(indices) {
      const pixels = new Float32Array(indices.length * size * size * 3);
      for (let n = 0; n < indices.length; n++) {
        const image = images[indices[n]];
        if (!image) throw new RangeError(`image ${indices[n]} of ${images.length}`);
        // RGBA bytes to RGB numbers from 0 to 1.
        for (let pixel = 0; pixel < size * size; pixel++)
          for (let channel = 0; channel < 3; channel++)
            pixels[(n * size * size + pixel) * 3 + channel] = image.png.data[4 * pixel + channel] / 255;
      }
      return pixels;
    },
  };
};
