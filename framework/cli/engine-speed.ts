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
  const processor = os.cpus()[0]?.model.trim() ?? 'unknown';
  const about = { engine, threads, processor, node: process.version };
  const file = path.join(options.cache, 'speed', `${engine}-${threads}.json`);
  const kept = readKept(file);
  if (kept && JSON.stringify(kept.about) === JSON.stringify(about))
    return { engine, threads, speed: kept.speed };
  const began = performance.now();
  const report = await measureEngine(engine, threads, options);
  if (!report.works) return undefined;
  await tryWriteDisposable(file, JSON.stringify({ about, speed: report.speed }));
  return { engine, threads, speed: report.speed, measured: (performance.now() - began) / 1000 };
}

function readKept(file: string): { readonly about: object; readonly speed: EngineSpeed } | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as { about: object; speed: EngineSpeed };
  } catch {
    return undefined;
  }
}
