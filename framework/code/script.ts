import path from 'node:path';
import { packageOf } from './package-root.ts';

export const ownName = 'peco-exp';

/** True for imports of peco-exp itself. */
export function isOwn(specifier: string): boolean {
  return specifier === ownName || specifier.startsWith(`${ownName}/`);
}

/** A source of peco-exp, not one of the experiments that lie beside them in a clone. */
export function isLibrary(file: string): boolean {
  return isEntrance(file) || /^(components|framework|reports)[\\/]/.test(withinOwn(file) ?? '');
}

/** What `peco-exp` or `peco-exp/kit` leads to: exports of other files, and no code. */
export function isEntrance(file: string): boolean {
  // The names of most files say it, which takes no look at the disk.
  return /[\\/](index|kit)\.ts$/.test(file) && /^(index|kit)\.ts$/.test(withinOwn(file) ?? '');
}

/** The path of a file of peco-exp in its package. */
function withinOwn(file: string): string | undefined {
  const owner = packageOf(file);
  return owner?.name === ownName ? path.relative(owner.dir, file) : undefined;
}

export function isScript(file: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(file);
}

/** How esbuild reads a script. */
export function loaderOf(file: string): 'ts' | 'tsx' | 'js' | 'jsx' {
  if (/\.[cm]?ts$/.test(file)) return 'ts';
  if (file.endsWith('.tsx')) return 'tsx';
  return file.endsWith('.jsx') ? 'jsx' : 'js';
}
