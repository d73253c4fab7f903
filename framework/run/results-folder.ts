import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Change } from '../experiment/changes/change.ts';
import { shortestEnds, showValue } from '../experiment/variants.ts';
import { homeFolder } from '../files/home.ts';
import { findObstacle } from '../files/make-folders.ts';
import { canonicalJson } from '../stage/canonical.ts';
import { PecoError } from '../stage/errors.ts';
import type { Json } from '../stage/json.ts';
import type { Git } from './record/git.ts';
import { timingColumns } from './record/timing.ts';

/** `run.json` of a results folder: whose tables these are, and how they were made. */
export interface ResultsRecord {
  readonly what: typeof recordKind;
  readonly format: 1;
  readonly experiment: string;
  /** The experiment's file, relative to the folder; where that is outside the project, absolute with `~`. */
  readonly file: string;
  readonly changes: readonly Change[];
  /** Arguments of peco-exp. */
  readonly command: readonly string[];
  /** Of the run that wrote the tables or, if all was stored, of the one that made the report; null: not recorded. */
  readonly run: string | null;
  /** ISO 8601, UTC: when the tables were written. */
  readonly date: string;
  readonly git: Git;
  readonly version: string | null;
  /** What peco-exp wrote to the folder: it replaces these files and no others. */
  readonly files: readonly string[];
}

export const recordKind = 'results of peco-exp';
export const resultsFile = 'run.json';
export const configFile = 'config.json';
export const timingFile = 'timing.csv';

const longestLabel = 60;

/**
 * Name of the folder of an experiment's tables: its own or, for a changed one, `<name>@<changes>-<digest>`, so that the
 * tables of the plain one stay; of a smoke run `<name>@smoke`. Letters, digits and a few signs that every file system has.
 */
export function resultsFolderName(experiment: string, changes: readonly Change[]): string {
  if (changes.length === 0) return experiment;
  const isSmoke = changes.some(({ by }) => by === 'smoke');
  const others = changes.filter(({ by }) => by !== 'smoke');
  const name = isSmoke ? `${experiment}@smoke` : experiment;
  return others.length === 0 ? name : `${name}${isSmoke ? ',' : '@'}${labelOf(others)}`;
}

/** `size=512-0123456789`: the ends of the paths with their values, and a digest of all of it. */
function labelOf(changes: readonly Change[]): string {
  const ends = shortestEnds(changes.map((change) => change.path));
  const label = changes
    .map(({ by, path: field, to }) => {
      const values = by === 'set' ? [to] : (to as readonly Json[]);
      return `${ends.get(field)}=${values.map(showValue).join(',')}`;
    })
    .join(',')
    .replaceAll(/[^A-Za-z0-9_.+=,-]+/g, '-')
    .slice(0, longestLabel)
    .replace(/[.,=-]+$/, '');
  // What the file says doesn't count: an edit of it is the same change of another experiment.
  const meaning = changes.map(({ by, path: field, to }) => [by, field, to]);
  const digest = createHash('sha256').update(canonicalJson(meaning)).digest('hex').slice(0, 10);
  return `${label}-${digest}`;
}

/**
 * Looks whether a run may write to a results folder: nothing is there, or what peco-exp wrote for the same experiment
 * file. Changes nothing.
 *
 * @throws PecoError `results-in-use` for a folder with the tables of another file, or with files of others by the names of
 *   ours; `invalid-settings` where no folder can be made
 */
export function checkResultsFolder(folder: string, file: string): void {
  const obstacle = findObstacle(folder);
  if (obstacle !== undefined) {
    throw new PecoError(`the results can't be written to ${folder}: ${obstacle}`, {
      code: 'invalid-settings',
      hint: 'choose another folder for the results with --out',
    });
  }
  const owner = readOwner(folder);
  if (owner === 'none') return;
  if (owner === 'other') {
    const theirs = [resultsFile, configFile, timingFile].filter((name) =>
      fs.existsSync(path.join(folder, name)),
    );
    const target = path.join(folder, theirs[0]!);
    const why =
      theirs[0] === resultsFile
        ? 'is there, and peco-exp did not write it'
        : `is there, and no ${resultsFile} beside it says that peco-exp wrote it`;
    throw new PecoError(`${target} ${why}`, {
      code: 'results-in-use',
      hint: 'move it, or choose another folder for the results with --out',
    });
  }
  if (owner === 'earlier') return;
  const other = resolveFile(owner.file, folder);
  if (!fs.existsSync(other) || fs.realpathSync(other) === file) return;
  throw new PecoError(
    `${folder} has the results of ${other}, an experiment that is called "${owner.experiment}" as well as that of ${file}`,
    {
      code: 'results-in-use',
      hint: 'give one of them another `name`, choose another folder with --out, or remove that folder if its results are of no use',
    },
  );
}

/**
 * Whose a folder is: by its record; `earlier`: of a peco-exp that wrote no record yet; `none`: nothing of ours is
 * there; `other`: there are files by the names of ours.
 */
export function readOwner(folder: string): ResultsRecord | 'earlier' | 'none' | 'other' {
  const text = readText(path.join(folder, resultsFile));
  if (text !== undefined) return parseRecord(text) ?? 'other';
  if (fs.existsSync(path.join(folder, configFile))) return 'other';
  const timing = readText(path.join(folder, timingFile));
  if (timing === undefined) return 'none';
  return timing.startsWith(`${timingColumns.join(',')}\n`) ? 'earlier' : 'other';
}

function parseRecord(text: string): ResultsRecord | undefined {
  try {
    const record = JSON.parse(text) as ResultsRecord;
    const isOurs =
      record.what === recordKind && typeof record.file === 'string' && Array.isArray(record.files);
    return isOurs ? record : undefined;
  } catch {
    return undefined;
  }
}

/** How a record names the experiment's file: no more of the machine than needed to find it again. */
export function nameFile(file: string, folder: string, root: string): string {
  const inside = (place: string) => !path.relative(root, place).startsWith('..');
  if (inside(folder) && inside(file)) return path.relative(folder, file).split(path.sep).join('/');
  const home = homeFolder();
  return home.length > 1 && file.startsWith(home + path.sep) ? `~${file.slice(home.length)}` : file;
}

function resolveFile(name: string, folder: string): string {
  return name.startsWith('~') ? homeFolder() + name.slice(1) : path.resolve(folder, name);
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
