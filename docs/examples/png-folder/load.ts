import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Dataset, LoadFunction } from 'peco-exp/kit';

export const load: LoadFunction<Dataset> = async ({ files: { images: root } }) => {
  const classes = readdirSync(root).sort();
  const images = classes.flatMap((name, label) => {
    const files = readdirSync(path.join(root, name)).sort();
    return files.map((file) => ({ label, file: path.join(root, name, file) }));
  });
  const at = (index: number) => {
    const image = images[index];
    if (image) return image;
    throw new RangeError(`image ${index} of ${images.length}`);
  };
  return {
    name: `png-folder of ${images.length} images`,
    count: images.length,
    classes,
    // All have the width of the first: it stands at byte 16 of a PNG file.
    imageSize: readFileSync(at(0).file).readUInt32BE(16),
    target: async (index) => at(index).label,
    image: async (index) => ({ format: 'png', file: at(index).file }),
  };
};
