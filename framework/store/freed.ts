import fs from 'node:fs';
import path from 'node:path';

/** Bytes that become free if these files and folders go: a file with names elsewhere stays on the disk. */
export function measureFreed(targets: readonly string[]): number {
  const files = new Map<string, { readonly size: number; readonly links: number; names: number }>();
  const visit = (target: string): void => {
    try {
      const stat = fs.lstatSync(target);
      if (stat.isDirectory()) {
        for (const name of fs.readdirSync(target)) visit(path.join(target, name));
        return;
      }
      const id = `${stat.dev}:${stat.ino}`;
      const known = files.get(id) ?? { size: stat.size, links: stat.nlink, names: 0 };
      known.names += 1;
      files.set(id, known);
    } catch {
      // Somebody else removed it.
    }
  };
  for (const target of targets) visit(target);
  return [...files.values()].reduce((sum, { size, links, names }) => (names >= links ? sum + size : sum), 0);
}
