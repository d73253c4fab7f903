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
  registry().set(name, isSet(value) ? value : null);
  const start = isSet(value) ? value : placeholder(name);
  return below.length === 0 ? start : path.join(start, ...below);
}

/**
 * The same for what may be there or not: undefined where the variable is not set.
 * `const weights = envIfSet('VGG16'); const network = weights ? vgg({ weights: file(weights) }) : vgg({ steps: 300 })`
 */
export function envIfSet(name: string, ...below: readonly string[]): string | undefined {
  // Not noted as unset: nothing is missing.
  return isSet(process.env[name]) ? env(name, ...below) : undefined;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
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
