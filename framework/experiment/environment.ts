import path from 'node:path';

// By name, since an experiment's bundle and the command line have a copy of this module each.
const key = Symbol.for('peco-exp.environment');

/** Variables that experiment files asked for by `env` since the last `forgetEnvironment`, with their values. */
export function listedEnvironment(): { readonly [name: string]: string } {
  return Object.fromEntries(
    [...registry()].flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

/** Those that were not set. */
export function unsetVariables(): readonly string[] {
  return [...registry()].flatMap(([name, value]) => (value === null ? [name] : []));
}

export function forgetEnvironment(): void {
  registry().clear();
}

/**
 * A folder or file that is elsewhere on every machine: the value of an environment variable, and a path below it.
 * `env('IMAGENET', 'train')` is `$IMAGENET/train`. Variables that are read in another way are an error, since the
 * experiment would silently be another one where they have other values.
 *
 * Where the variable is not set, it returns the path as it is written, `$IMAGENET/train`: `plan` works all the same, and
 * `run` refuses, with everything else that is missing.
 */
export function env(name: string, ...below: readonly string[]): string {
  const value = process.env[name];
  const isSet = value !== undefined && value !== '';
  registry().set(name, isSet ? value : null);
  const start = isSet ? value : placeholder(name);
  return below.length === 0 ? start : path.join(start, ...below);
}

/** What stands for a variable that is not set. */
export function placeholder(name: string): string {
  return `$${name}`;
}

/** By name; null: not set. */
function registry(): Map<string, string | null> {
  const holder = globalThis as { [key]?: Map<string, string | null> };
  holder[key] ??= new Map();
  return holder[key];
}
