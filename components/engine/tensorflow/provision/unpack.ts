import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { isWanted } from './catalogue.ts';

/**
 * Unpacks what a library needs of a wheel. A file is there under its name only as a whole.
 * Returns the files, relative to the folder, with their sizes in bytes.
 */
export async function unpackWheel(
  wheel: string,
  folder: string,
): Promise<{ readonly [file: string]: number }> {
  const zip = await yauzl.openPromise(wheel, { autoClose: false });
  zip.on('error', () => {});
  const files: { [file: string]: number } = {};
  try {
    for await (const entry of zip.eachEntry()) {
      if (!isWanted(entry.fileName)) continue;
      const target = path.join(folder, entry.fileName);
      fs.mkdirSync(path.dirname(target), { recursive: true });
      const part = `${target}.part`;
      await pipeline(await zip.openReadStreamPromise(entry), fs.createWriteStream(part));
      // CUDA's assembler is called as a program.
      if (/\/bin\/[^/]+$/.test(entry.fileName)) fs.chmodSync(part, 0o755);
      fs.renameSync(part, target);
      files[entry.fileName] = entry.uncompressedSize;
    }
  } finally {
    zip.close();
  }
  return files;
}
