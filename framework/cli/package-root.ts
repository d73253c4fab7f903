import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of this package: the bundled command line lies in dist/, one below it, this source two below it. */
export function ownPackage(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const folders = ['..', '../..'].map((up) => path.join(here, up));
  return folders.find((folder) => fs.existsSync(path.join(folder, 'package.json')))!;
}

/** The fields of its package.json that are looked at. */
export function readOwnPackage(): {
  readonly version: string;
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
} {
  return JSON.parse(fs.readFileSync(path.join(ownPackage(), 'package.json'), 'utf8'));
}
