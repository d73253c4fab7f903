import fs from 'node:fs';
import path from 'node:path';
import { hasCode } from '../../files/files.ts';
import type { EngineSpan } from '../../stage/engines.ts';
import { readState, type SavedState } from './state-folder.ts';

/** Where the next attempt of a stage begins: at its newest whole checkpoint. */
export interface ResumePoint {
  readonly step: number;
  /** Steps of the whole training; absent where the stage had shown no progress when it was saved. */
  readonly of?: number;
  /** The engine that saved it, where that isn't the one that would go on. */
  readonly engine?: string;
}

/** A checkpoint that may be whole. */
export interface Saved {
  readonly step: number;
  readonly engine: string;
  readonly dir: string;
}

/** The folder of what one engine saves of a stage. */
export function checkpointFolder(workDir: string, engine: string): string {
  return path.join(workDir, 'checkpoints', engine);
}

/**
 * Looks where a stage would resume with `engine`, and changes nothing. Undefined without a checkpoint that is whole: all
 * bytes are read, so that no step is promised that the stage won't resume at.
 */
export async function findResumePoint(workDir: string, engine: string): Promise<ResumePoint | undefined> {
  for (const saved of await listCheckpoints(workDir, engine).catch(() => [])) {
    const state = await readCheckpoint(saved);
    if (typeof state === 'string') continue;
    const { step, of } = state;
    const other = saved.engine === engine ? {} : { engine: saved.engine };
    return { step, ...(of === undefined ? {} : { of }), ...other };
  }
  return undefined;
}

/**
 * The checkpoints of a stage, of all engines, newest first; of one step that of `engine` first. Throws if a folder can't
 * be read: what isn't seen must not count as not there.
 */
export async function listCheckpoints(workDir: string, engine: string): Promise<Saved[]> {
  const all = await Promise.all((await listEngines(workDir)).map((name) => listSaved(workDir, name)));
  const isOther = (saved: Saved) => Number(saved.engine !== engine);
  return all.flat().sort((a, b) => b.step - a.step || isOther(a) - isOther(b));
}

/** The engines that have a folder. */
export async function listEngines(workDir: string): Promise<string[]> {
  return (await listNames(path.join(workDir, 'checkpoints'))).sort();
}

/** Everything in the folder of an engine. */
export async function listNames(folder: string): Promise<string[]> {
  return fs.promises.readdir(folder).catch((error: unknown) => {
    // Not there yet, or another process has just removed it.
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
}

async function listSaved(workDir: string, engine: string): Promise<Saved[]> {
  const folder = checkpointFolder(workDir, engine);
  return (await listNames(folder)).flatMap((name) => {
    const step = /^step-(\d+)$/.exec(name)?.[1];
    return step === undefined ? [] : [{ step: Number(step), engine, dir: path.join(folder, name) }];
  });
}

/** What it holds and who computed it, or what is wrong with it. One that doesn't say it was computed by its engine alone. */
export async function readCheckpoint({
  step,
  engine,
  dir,
}: Saved): Promise<(SavedState & { readonly engines: readonly EngineSpan[] }) | string> {
  const state = await readState(dir);
  if (typeof state === 'string') return state;
  if (state.step !== step) return `it is of step ${state.step}`;
  return { ...state, engines: state.engines ?? [{ engine, from: 0 }] };
}

/** `step 110 of 400`, and by which engine if it is another one. */
export function formatResumePoint({ step, of, engine }: ResumePoint): string {
  const other = engine === undefined ? '' : ` (computed by ${engine})`;
  return `${of === undefined ? `step ${step}` : `step ${step} of ${of}`}${other}`;
}
