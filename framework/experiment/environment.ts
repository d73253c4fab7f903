import path from 'node:path';
import { PecoError } from '../stage/errors.ts';

// By name, since an experiment's bundle and the command line have a copy of this module each.
const key = Symbol.for('peco-exp.environment');

/** Variables that experiment files asked for by `env` since the last `forgetEnvironment`, with their values. */
export function listedEnvironment(): { readonly [name: string]: string } {
  return Object.fromEntries(registry());
}

export function forgetEnvironment(): void {
  registry().clear();
}

/**
 * A folder or file that is elsewhere on every machine: the value of an environment variable, and a path below it.
 * `env('IMAGENET', 'train')` is `$IMAGENET/train`. Variables that are read in another way are an error, since the
 * experiment would silently be another one where they have other values.
 *
 * @throws PecoError `missing-variable` if it is not set
 */
export function env(name: string, ...below: readonly string[]): string {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new PecoError(`the environment variable ${name} is not set`, {
      code: 'missing-variable',
      hint: `set it before the command: ${name}=... peco-exp run ...`,
    });
  }
  registry().set(name, value);
  return below.length === 0 ? value : path.join(value, ...below);
}

function registry(): Map<string, string> {
  const holder = globalThis as { [key]?: Map<string, string> };
  holder[key] ??= new Map();
  return holder[key];
}
