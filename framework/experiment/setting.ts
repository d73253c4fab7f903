import path from 'node:path';
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

/** A variable that is set to nothing counts as not set. */
export function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

// Where a folder can be set: in this order, the first wins.
const folders = {
  store: { flag: '--store', variable: 'PECO_STORE', fallback: '.peco' },
  results: { flag: '--out', variable: 'PECO_RESULTS', fallback: 'results' },
} as const;

/**
 * An absolute path. Those of flags and environment are relative to the current folder, one of a settings file to
 * that file, the default to the project.
 */
export function folderSetting(
  name: keyof typeof folders,
  given: string | undefined,
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
  return pick(path.join(root, fallback), [
    [given, fromUser, flag],
    [nonEmpty(env[variable]), fromUser, variable],
    [settings[name], (value) => path.resolve(path.dirname(file), value), path.relative(cwd, file)],
  ]);
}
