import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { disk } from './disk.ts';
import type { Json } from './json.ts';
import { isSettled } from './skew.ts';
import { statAt } from './stat.ts';

// By name, since an experiment's bundle and the command line have a copy of this module each.
const key = Symbol.for('peco-exp.made');
// Not Date.now: experiment files are evaluated a second time under another clock.
const now = () => performance.timeOrigin + performance.now();

/** What was made, and of what: size, times of modification and change, and inode of each place. */
interface Made {
  readonly of: readonly (readonly [number, number, number, number])[];
  readonly value: Json;
}

interface Memory {
  readonly known: Map<string, Made>;
  dir?: string;
}

/**
 * What a function makes of files and folders, where that takes long: it is called again when one of them has changed, and
 * otherwise not, in later processes neither. For what components say of their data while an experiment is loaded.
 *
 * @param name what is made: count a number in it up when the function makes something else of the same files
 */
export function madeOf<T extends Json>(places: readonly string[], name: string, make: () => T): T {
  const began = now();
  for (const place of places) disk.exists(place);
  const of = places.map(stampOf);
  const id = createHash('sha256')
    .update(JSON.stringify([name, ...places.map((place) => path.resolve(place))]))
    .digest('hex');
  const { known, dir } = memory();
  const before = known.get(id) ?? readMade(dir, id);
  if (before !== undefined && isSame(before.of, of)) {
    known.set(id, before);
    return before.value as T;
  }
  const value = make();
  // What may still be changing is looked at again.
  const isStill = (stamp: (typeof of)[number], n: number) =>
    stamp !== undefined && isSettled(places[n]!, { mtimeMs: stamp[1], ctimeMs: stamp[2] }, began);
  if (of.every(isStill)) {
    const made = { of: of as Made['of'], value };
    known.set(id, made);
    writeMade(dir, id, made);
  }
  return value;
}

/** Where what was made is kept for later processes: a folder of things that can be made again. */
export function keepMade(dir: string): void {
  memory().dir = dir;
}

function memory(): Memory {
  const holder = globalThis as { [key]?: Memory };
  holder[key] ??= { known: new Map() };
  return holder[key];
}

function stampOf(place: string): Made['of'][number] | undefined {
  const stat = statAt(place);
  return stat === undefined ? undefined : [stat.size, stat.mtimeMs, stat.ctimeMs, stat.ino];
}

function isSame(before: Made['of'], now: readonly (Made['of'][number] | undefined)[]): boolean {
  return (
    before.length === now.length &&
    before.every((stamp, n) => stamp.every((field, place) => field === now[n]?.[place]))
  );
}

function readMade(dir: string | undefined, id: string): Made | undefined {
  if (dir === undefined) return undefined;
  try {
    const read = JSON.parse(fs.readFileSync(path.join(dir, `${id}.json`), 'utf8')) as Made;
    return Array.isArray(read.of) && read.of.every(Array.isArray) ? read : undefined;
  } catch {
    // Missing or broken: it is made again.
    return undefined;
  }
}

/** Whole or not at all; one that can't be kept only makes the next time slower. */
function writeMade(dir: string | undefined, id: string, made: Made): void {
  if (dir === undefined) return;
  const file = path.join(dir, `${id}.json`);
  const temporary = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(dir, { recursive: true });
    try {
      fs.writeFileSync(temporary, JSON.stringify(made));
      fs.renameSync(temporary, file);
    } finally {
      fs.rmSync(temporary, { force: true });
    }
  } catch {
    // A folder that can only be read, or a full disk.
  }
}
