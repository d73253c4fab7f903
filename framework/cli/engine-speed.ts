import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tryWriteDisposable } from '../files/disposable.ts';
import type { EngineSpeed } from '../plan/rates.ts';
import { measureEngine } from './engines.ts';

/** How fast an engine is on this machine. */
export interface KnownSpeed {
  readonly engine: string;
  readonly threads: number;
  readonly speed: EngineSpeed;
  /** Seconds that it took just now to find out; absent if it was known. */
  readonly measured?: number;
}

/**
 * How fast an engine is with so many threads: as it was measured once, kept in the project's cache by engine, threads,
 * processor and version of Node; measured now where nothing is kept, which takes seconds. Undefined where the engine can't
 * be had.
 */
export async function findSpeed(
  engine: string,
  threads: number,
  options: { readonly cache: string; readonly script: string },
): Promise<KnownSpeed | undefined> {
  const known = knownSpeed(engine, threads, options.cache);
  if (known) return known;
  const began = performance.now();
  const report = await measureEngine(engine, threads, options);
  if (!report.works) return undefined;
  const about = describe(engine, threads);
  await tryWriteDisposable(
    fileOf(engine, threads, options.cache),
    JSON.stringify({ about, speed: report.speed }),
  );
  return { engine, threads, speed: report.speed, measured: (performance.now() - began) / 1000 };
}

/** The same, where it is known already. */
export function knownSpeed(engine: string, threads: number, cache: string): KnownSpeed | undefined {
  const kept = readKept(fileOf(engine, threads, cache));
  const isSame = JSON.stringify(kept?.about) === JSON.stringify(describe(engine, threads));
  return kept && isSame ? { engine, threads, speed: kept.speed } : undefined;
}

/** What a speed depends on. */
function describe(engine: string, threads: number) {
  const processor = os.cpus()[0]?.model.trim() ?? 'unknown';
  return { engine, threads, processor, node: process.version };
}

function fileOf(engine: string, threads: number, cache: string): string {
  return path.join(cache, 'speed', `${engine}-${threads}.json`);
}

function readKept(file: string): { readonly about: object; readonly speed: EngineSpeed } | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as { about: object; speed: EngineSpeed };
  } catch {
    return undefined;
  }
}
