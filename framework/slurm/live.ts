import type { InputKey } from '../stage/keys.ts';
import type { Place } from './jobs.ts';
import { isLive, type Queue, readQueue } from './queue.ts';
import type { Records, Submission } from './records.ts';

/**
 * Where stages are in Slurm, as far as they are queued or running. One question to Slurm.
 *
 * @param users whose jobs are asked for, beside those of the stages' own
 */
export async function findLive(
  stages: readonly { readonly stage: string; readonly key: InputKey }[],
  records: Records,
  users: readonly number[] = [],
): Promise<{ readonly places: ReadonlyMap<string, Place>; readonly queue: Queue }> {
  const found = stages.flatMap(({ stage, key }) => {
    const submitted = records.find(key);
    return submitted ? [{ stage, ...submitted }] : [];
  });
  const queue = await readQueue([process.getuid!(), ...users, ...found.map(({ user }) => user)]);
  const places = new Map<string, Place>();
  for (const { stage, submission, index, job: noted } of found) {
    // A submission that was cut off after Slurm had taken it.
    const job = noted ?? queue.jobOf(submission);
    if (job === undefined) continue;
    if (noted === undefined) await records.noteJob(submission, job);
    if (isLive(queue.task({ job, index }))) places.set(stage, { job, index });
  }
  return { places, queue };
}

/** A task of a submission that is queued or running. */
export interface LiveTask extends Place {
  readonly submission: string;
  readonly lane?: number;
  readonly width?: number;
}

export function tasksIn(queue: Queue, submissions: readonly Submission[], records: Records): LiveTask[] {
  return submissions.flatMap(({ id, tasks, lanes = {}, width }) => {
    const job = records.jobOf(id, queue);
    if (job === undefined) return [];
    const places = Object.keys(tasks).map((index) => ({ job, index: Number(index), submission: id }));
    return places
      .filter((place) => isLive(queue.task(place)))
      .map((place) => {
        const lane = lanes[place.index];
        if (lane === undefined) return place;
        return { ...place, lane, ...(width === undefined ? {} : { width }) };
      });
  });
}
