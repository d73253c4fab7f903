import fs from 'node:fs';
import path from 'node:path';
import { readState } from './state-folder.ts';

/** Where the next attempt of a stage begins: at its newest whole checkpoint. */
export interface ResumePoint {
  readonly step: number;
  /** Steps of the whole training; absent where the stage had shown no progress when it was saved. */
  readonly of?: number;
}

/** The folder of a stage's checkpoints. Another engine rounds otherwise: each has its own. */
export function checkpointFolder(workDir: string, engine: string): string {
  return path.join(workDir, 'checkpoints', engine);
}

/**
 * Looks where a stage would resume, and changes nothing. Undefined without a checkpoint of this engine that is whole:
 * all bytes are read, so that no step is promised that the stage won't resume at.
 */
export async function findResumePoint(workDir: string, engine: string): Promise<ResumePoint | undefined> {
  const folder = checkpointFolder(workDir, engine);
  for (const step of await listSteps(folder).catch(() => [])) {
    const state = await readState(path.join(folder, `step-${step}`));
    if (typeof state !== 'string' && state.step === step)
      return { step, ...(state.of === undefined ? {} : { of: state.of }) };
  }
  return undefined;
}

/** Newest first. Throws if the folder can't be read: what isn't seen must not count as not there. */
export async function listSteps(folder: string): Promise<number[]> {
  const names = await fs.promises.readdir(folder);
  const steps = names.flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return steps.sort((a, b) => b - a);
}

/** `step 110 of 400` */
export function formatResumePoint({ step, of }: ResumePoint): string {
  return of === undefined ? `step ${step}` : `step ${step} of ${of}`;
}
