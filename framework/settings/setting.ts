import path from 'node:path';
import { PecoError } from '../stage/errors.ts';
import type { LoadedSettings } from './settings.ts';

/** A value, and who said so: a flag, a variable, a file (relative to the current folder) or `default`. */
export interface Setting<T> {
  readonly value: T;
  readonly from: string;
}

type Candidate<T> = readonly [value: T | undefined, convert: (value: T) => T, from: string];

/** The first that is given. */
export function pick<T>(fallback: T, candidates: readonly Candidate<T>[]): Setting<T> {
  for (const [value, convert, from] of candidates) {
    if (value !== undefined) return { value: convert(value), from };
  }
  return { value: fallback, from: 'default' };
}

/**
 * A value that is given and says nothing is a slip, such as `--store=$UNSET`: to take it for the default, or for the
 * current folder, could cost somebody's files.
 *
 * @throws PecoError `invalid-settings` naming who gave it
 */
export function notBlank(value: string | undefined, from: string): string | undefined {
  if (value === undefined || value.trim() !== '') return value;
  throw new PecoError(`${from} is empty`, {
    code: 'invalid-settings',
    hint: /^PECO_/.test(from) ? `give ${from} a value, or unset it` : 'give it a value, or leave it out',
  });
}

// Where a folder can be set: in this order, the first wins.
const folders = {
  store: { flag: '--store', variable: 'PECO_STORE', fallback: '.peco' },
  results: { flag: '--out', variable: 'PECO_RESULTS', fallback: 'results' },
} as const;

/**
 * An absolute path. An empty one is an error, also where another wins over it. Those of flags and environment are relative to the current folder, one of a settings file to
 * that file, the default to the project.
 */
export function folderSetting(
  name: keyof typeof folders,
  given: string | { readonly value: string | undefined; readonly from: string } | undefined,
  {
    root,
    loaded,
    env,
    cwd,
  }: {
    readonly root: string;
    readonly loaded: LoadedSettings;
    readonly env: { readonly [name: string]: string | undefined };
    readonly cwd: string;
  },
): Setting<string> {
  const { flag, variable, fallback } = folders[name];
  const { settings, file = '' } = loaded;
  const fromUser = (value: string) => path.resolve(cwd, value);
  const first = typeof given === 'object' ? given : { value: given, from: flag };
  return pick(path.join(root, fallback), [
    [notBlank(first.value, first.from), fromUser, first.from],
    [notBlank(env[variable], variable), fromUser, variable],
    [settings[name], (value) => path.resolve(path.dirname(file), value), path.relative(cwd, file)],
  ]);
}
