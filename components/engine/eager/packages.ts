import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** A package that users install if they want its engine. */
export interface OptionalPackage {
  readonly name: string;
  readonly version: string;
  /** Its main module, absolute. */
  readonly file: string;
  readonly dir: string;
}

/** Looks where this engine is installed, and then in the folder where the process was started. */
export function findPackage(name: string): OptionalPackage | undefined {
  for (const from of [import.meta.url, pathToFileURL(path.join(process.cwd(), 'package.json')).href]) {
    const require = createRequire(from);
    try {
      const manifest = require.resolve(`${name}/package.json`);
      const { version } = require(manifest) as { readonly version: string };
      return { name, version, file: require.resolve(name), dir: path.dirname(manifest) };
    } catch {
      // Not there.
    }
  }
  return undefined;
}

/**
 * Imports a package: of a variable name, so that a bundler neither looks for it nor counts it as used.
 * `T` describes what is expected of it.
 */
export async function importPackage<T>({ file }: OptionalPackage): Promise<Partial<T>> {
  const module = (await import(pathToFileURL(file).href)) as { readonly default?: Partial<T> } & Partial<T>;
  // What a CommonJS module exports is the default; Node finds only some of the names in it.
  return { ...module.default, ...module };
}
