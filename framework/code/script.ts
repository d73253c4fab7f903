import path from 'node:path';
import { packageOf } from './package-root.ts';

export const ownName = 'peco-exp';

/** True for imports of peco-exp itself. */
export function isOwn(specifier: string): boolean {
  return specifier === ownName || specifier.startsWith(`${ownName}/`);
}

/** A source of peco-exp, not one of the experiments that lie beside them in a clone. */
export function isLibrary(file: string): boolean {
  const owner = packageOf(file);
  return (
    owner?.name === ownName &&
    /^(components|framework|reports)[\\/]|^index\.ts$/.test(path.relative(owner.dir, file))
  );
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
