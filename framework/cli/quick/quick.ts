import fs from 'node:fs';
import path from 'node:path';
import { isatty } from 'node:tty';
import { listTree } from '../../files/folder-list.ts';
import { isUnchanged, readFolderMemory } from '../../files/folder-memory.ts';
import { type Look, lookOf } from '../text/look.ts';
import { noteUnwritten } from '../unwritten.ts';
import { areUnchanged, type PackedStamps } from './stamps.ts';

// The quick path: a run in which nothing changed since it was recorded says what it would say, without loading anything
// but this file. `record.ts` writes the record. Imports nothing heavy: a test counts what is loaded.

const standardOutput = 1;

// Counts up when records say something else.
export const recordFormat = 5;

/** A run that found or made everything, and all that must be as it was then for it to say the same again. */
export interface QuickRecord {
  readonly format: typeof recordFormat;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly node: string;
  readonly cwd: string;
  readonly args: readonly string[];
  /** What the output can show: a table fits its terminal. */
  readonly look: Look;
  /** Variables that peco-exp or the experiment file reads; null if not set. */
  readonly environment: { readonly [name: string]: string | null };
  /** Without links; of a folder only what is directly in it. */
  readonly files: PackedStamps;
  /** What must not be there: settings files that would win, packages that would be nearer. */
  readonly absent: readonly string[];
  /** Places, and where they really are. */
  readonly links: readonly (readonly [place: string, real: string])[];
  /** Folders of data, and the memory that has the stat of their files. */
  readonly folders: readonly { readonly folder: string; readonly memory: string; readonly digest: string }[];
  /** What the run prints before and after its time. */
  readonly before: string;
  readonly after: string;
}

/** A full run notes once a day that results are in use: collections go by that. Milliseconds. */
const longestLife = 24 * 3600 * 1000;

/** Prints the recorded output if nothing changed. Returns false otherwise, and when in doubt. */
export function runQuickly(args: readonly string[]): boolean {
  const cwd = process.cwd();
  const file = quickRecordFile(cwd, args);
  const record = file === undefined ? undefined : readRecord(file);
  if (!record || !isCurrent(record, cwd, args)) return false;
  print(`${record.before}${(performance.now() / 1000).toFixed(1)} s${record.after}`);
  return true;
}

/** Node's stream is asked only where it must wait for the reader: to load it takes as long as to look at 300 files. */
function print(text: string): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(fs.writeSync(standardOutput, rest));
  } catch {
    noteUnwritten();
    process.stdout.write(rest);
  }
}

/**
 * Where the record of a command in a folder is kept: in the cache of the nearest project above. Undefined where there
 * is none, and for commands whose output isn't always the same.
 */
export function quickRecordFile(cwd: string, args: readonly string[]): string | undefined {
  if (args[0] !== 'run' || args.includes('--json') || args.includes('--verbose')) return undefined;
  for (let dir = cwd; ; dir = path.dirname(dir)) {
    const modules = path.join(dir, 'node_modules');
    if (fs.existsSync(modules)) {
      return path.join(
        modules,
        '.cache',
        'peco-exp',
        'quick',
        `${hash(JSON.stringify([cwd, ...args]))}.json`,
      );
    }
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** Variables that change what a run does, beside those that an experiment file lists. */
export function ownVariables(environment: { readonly [name: string]: string | undefined }): string[] {
  return Object.keys(environment).filter((name) => name.startsWith('PECO_'));
}

/** What the output can show. Node's stream is asked only where it is a terminal: to load it takes a while. */
export function quickLook(): Look {
  return lookOf(isatty(standardOutput) ? process.stdout : {}, process.env);
}

function readRecord(file: string): QuickRecord | undefined {
  try {
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as QuickRecord;
    return record.format === recordFormat ? record : undefined;
  } catch {
    return undefined;
  }
}

/** True if the same command, given in the same folder, would find everything as it was. */
export function isCurrent(record: QuickRecord, cwd: string, args: readonly string[]): boolean {
  try {
    return (
      Math.abs(Date.now() - record.at) < longestLife &&
      record.node === process.version &&
      record.cwd === cwd &&
      JSON.stringify(record.args) === JSON.stringify(args) &&
      JSON.stringify(record.look) === JSON.stringify(quickLook()) &&
      hasEnvironment(record.environment) &&
      areUnchanged(record.files) &&
      !record.absent.some((file) => fs.existsSync(file)) &&
      record.links.every(([place, real]) => fs.realpathSync.native(place) === real) &&
      record.folders.every(isSameFolder)
    );
  } catch {
    return false; // a file that can't be looked at: the full run reports it
  }
}

function hasEnvironment(environment: QuickRecord['environment']): boolean {
  const same = Object.entries(environment).every(([name, value]) => (process.env[name] ?? null) === value);
  return same && ownVariables(process.env).every((name) => Object.hasOwn(environment, name));
}

function isSameFolder({ folder, memory, digest }: QuickRecord['folders'][number]): boolean {
  const known = readFolderMemory(memory);
  return known?.digest === digest && isUnchanged(known, listTree(folder));
}

/** A name for a file, not a proof: the record says what it is of. FNV-1a, since loading node:crypto takes longer. */
function hash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ (text.charCodeAt(i) + i), 0x01000193);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
