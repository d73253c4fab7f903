import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { evaluateBundle } from '../code/evaluate.ts';
import { loadBundles } from '../code/stored-bundles.ts';
import { hasCode } from '../files/files.ts';
import { readJsonFile, withoutMark } from '../files/json-file.ts';
import { PecoError } from '../stage/errors.ts';
import { explainZodError, valueAt } from '../stage/issues.ts';
import { checkSlurmStages, slurmSchema } from '../stage/slurm.ts';

const folder = z.string().regex(/\S/, 'is empty: name a folder, or leave it out');

const schema = z.strictObject({
  store: folder.optional(),
  results: folder.optional(),
  engine: z.string().min(1).optional(),
  jobs: z.int().positive().optional(),
  retries: z.int().min(0).optional(),
  /** As `--timeout` takes it: `90s`, `10m`, `2h`. */
  timeout: z.string().optional(),
  executor: z.string().optional(),
  slurm: slurmSchema.optional(),
});

const exportObject = 'export the settings themselves: `export default { jobs: 1 }`';

/** What a project's settings file may say. Flags and environment win over it. Paths are relative to that file. */
export type Settings = Readonly<z.output<typeof schema>>;

export interface LoadedSettings {
  readonly settings: Settings;
  /** The file they came from, absolute; undefined if there is none. */
  readonly file?: string;
}

// In this order within a folder; the nearest folder that has one wins.
const code = ['ts', 'mts', 'js', 'mjs', 'cjs'];
const names = [
  ...code.map((ending) => `peco.config.${ending}`),
  'peco.config.json',
  '.pecorc',
  '.pecorc.json',
  '.pecorc.yaml',
  '.pecorc.yml',
  ...code.map((ending) => `.pecorc.${ending}`),
];

/**
 * Finds and reads `peco.config.{ts,mts,js,mjs,cjs,json}`, `.pecorc*` or the key `peco` of package.json, in this folder or the
 * nearest above. (The command line asks for the project's root: settings beside an experiment below it don't count.)
 *
 * @throws PecoError `invalid-settings` naming file, field and fix
 */
export async function loadSettings(cwd: string): Promise<LoadedSettings> {
  const file = findSettingsFile(path.resolve(cwd));
  if (file === undefined) return { settings: {} };
  const shown = path.relative(cwd, file) || file;
  const given = (await readSettings(file, cwd)) ?? {};
  const parsed = schema.safeParse(given);
  const issues = parsed.success
    ? checkSlurmStages(parsed.data.slurm, ['slurm'])
    : explainZodError(parsed.error, schema, given);
  if (parsed.success && issues.length === 0) return { settings: parsed.data, file };
  const problems = issues.map(({ path: field, message, hint }) => {
    const value = valueAt(given, field);
    const got = value === undefined ? '' : `, got ${describeValue(value)}`;
    const help = field.length === 0 && typeof value === 'function' ? exportObject : hint;
    const options = { code: 'invalid-settings', ...(help === undefined ? {} : { hint: help }) };
    return new PecoError(`${field.join('.') || 'settings'}: ${message}${got}`, options);
  });
  throw new PecoError(`the settings in ${shown} are wrong`, { code: 'invalid-settings', problems });
}

function describeValue(value: unknown): string {
  return typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value));
}

/** Is given every place that a search looks at, whether something is there or not. */
type OnLook = (place: string) => void;

/**
 * The settings file that holds for a project's folder. Looks before cosmiconfig is loaded: most projects have no
 * settings, and shall not wait for it.
 */
export function findSettingsFile(folder: string, onLook: OnLook = () => {}): string | undefined {
  for (let dir = folder; ; dir = path.dirname(dir)) {
    for (const name of names) {
      const file = path.join(dir, name);
      onLook(file);
      if (fs.existsSync(file)) return file;
    }
    const manifest = path.join(dir, 'package.json');
    onLook(manifest);
    if (hasOwnKey(manifest)) return manifest;
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** The nearest folder at or above one that has a package.json: the project. */
export function findProjectFolder(folder: string, onLook: OnLook = () => {}): string | undefined {
  for (let dir = folder; ; dir = path.dirname(dir)) {
    const manifest = path.join(dir, 'package.json');
    onLook(manifest);
    if (fs.existsSync(manifest)) return dir;
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** True of settings that may come from more than their file: code, or cosmiconfig's `$import`. */
export function readsOtherFiles(file: string): boolean {
  return isCode(file) || fs.readFileSync(file, 'utf8').includes('$import');
}

function isCode(file: string): boolean {
  return /\.[cm]?[jt]s$/.test(file);
}

function hasOwnKey(manifest: string): boolean {
  try {
    const parsed: unknown = readJsonFile(manifest);
    return typeof parsed === 'object' && parsed !== null && 'peco' in parsed;
  } catch {
    return false;
  }
}

async function readSettings(file: string, cwd: string): Promise<unknown> {
  if (isCode(file)) {
    const bundle = (await loadBundles([file], path.dirname(file))).get(file)!;
    const shown = path.relative(cwd, file);
    const exported = await evaluateBundle(bundle, { shown, cwd });
    if ('default' in exported) return exported.default;
    throw new PecoError(`${shown} has no default export`, { code: 'invalid-settings', hint: exportObject });
  }
  // Only its loaders: its search would read package.json in the current folder for settings of its own.
  const { defaultLoaders } = await import('cosmiconfig');
  const ending = path.extname(file) as '.json' | '.yaml' | '.yml' | '';
  try {
    const text = withoutMark(fs.readFileSync(file, 'utf8'));
    if (text.trim() === '') return undefined;
    const read = (await defaultLoaders[ending || 'noExt'](file, text)) as unknown;
    const isManifest = path.basename(file) === 'package.json';
    return isManifest ? (read as { readonly peco?: unknown } | null)?.peco : read;
  } catch (error) {
    throw unreadable(path.relative(cwd, file), error);
  }
}

/** Loaders show the lines around a mistake, with the whole path of the file. */
function unreadable(shown: string, error: unknown): PecoError {
  const isFolder = hasCode(error, 'EISDIR');
  const words = error instanceof Error ? error.message : String(error);
  const lines = words.split('\n').map((line) => line.trim());
  const says = lines.filter((line) => line !== '' && !/^(JSON|YAML) Error in |^>? *\d* *\|/.test(line));
  const why = isFolder ? 'it is a folder' : (says[0] ?? words);
  return new PecoError(`the settings in ${shown} can't be read: ${why}`, {
    code: 'invalid-settings',
    hint: isFolder
      ? 'give it another name, or make it a file'
      : 'write JSON, YAML in .pecorc and .pecorc.yaml: { "jobs": 1 }',
    cause: error,
  });
}

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
 * current folder, could cost a user's files.
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
