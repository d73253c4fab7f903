import fs from 'node:fs/promises';
import path from 'node:path';
import { makeFolders } from '../store/make-folders.ts';

/** Files that the framework adds to every entry; they say nothing in a results folder. */
const bookkeeping = new Set(['metrics.json', 'metrics.jsonl']);

/**
 * Copies the outputs of a report into the results folder. A file that is already there with the same bytes is left
 * alone, so that its time says when the table last changed; any other is replaced by one rename.
 *
 * @returns absolute paths of the files, those of the top folder first, otherwise by name
 */
export async function publishReport(
  report: { readonly dir: string; readonly outputs: readonly { readonly path: string }[] },
  folder: string,
): Promise<readonly string[]> {
  const published: string[] = [];
  for (const { path: name } of report.outputs) {
    if (bookkeeping.has(name)) continue;
    const target = path.join(folder, name);
    await writeIfDifferent(target, await fs.readFile(path.join(report.dir, name)));
    published.push(target);
  }
  return published.sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

/** Writes a file through a temporary one in the same folder, unless it already has these bytes. */
export async function writeIfDifferent(file: string, content: Uint8Array | string): Promise<void> {
  const bytes = Buffer.from(content);
  const present = await fs.readFile(file).catch(() => undefined);
  if (present?.equals(bytes)) return;
  await makeFolders(path.dirname(file));
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    await fs.writeFile(temporary, bytes);
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

function depth(file: string): number {
  return file.split(path.sep).length;
}
