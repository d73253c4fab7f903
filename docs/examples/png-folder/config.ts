import path from 'node:path';
import { defineComponent, disk } from 'peco-exp';
import { z } from 'zod';

/** Square PNG files of one size, a folder for each class: `<root>/<class>/<name>.png`. */
export const pngFolder = defineComponent({
  role: 'dataset',
  kind: 'png-folder',
  // The bytes of the images are in the key; where they lie is not, so the path leaves the config.
  schema: z.strictObject({ root: z.string().transform(() => undefined) }),
  load: new URL('./load.ts', import.meta.url).href,
  files: (_config, { root }) => ({ images: path.resolve(root) }),
  // What is known before anything runs: configs that don't fit these facts are refused at once.
  provides: (_config, { root }) => {
    if (!disk.exists(root)) return {};
    const perClass = disk.list(root).map((name) => disk.list(path.join(root, name)).length);
    const images = perClass.reduce((sum, count) => sum + count, 0);
    return { images, classes: perClass.length, perClass, channels: 3 };
  },
});
