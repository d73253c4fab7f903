import type { InputKey } from '../stage/keys.ts';
import type { SlurmResources } from '../stage/slurm.ts';
import { type Cluster, mostMemory, parseMemory } from './cluster.ts';
import { saysMemory, tailOf } from './ends.ts';
import { readStory } from './events.ts';
import type { Unit } from './jobs.ts';
import { type MemoryTerms, memoryFile, nextMemory, readTries } from './memory.ts';
import { eventsOf, logOf, type Records, wasCancelled } from './records.ts';

/** What a submission says of the memory of its tasks. */
export function memoryTerms(resources: SlurmResources, cluster: Cluster): MemoryTerms {
  const { memory, memoryMax } = resources;
  const most = mostMemory(resources, cluster);
  return {
    ...(memory === undefined ? {} : { asked: parseMemory(memory) }),
    most: memoryMax === undefined ? most : Math.min(most, parseMemory(memoryMax)),
    ...(cluster.samplesMemory ? { sampled: true } : {}),
  };
}

/** Stages whose last task took more memory than it had get more, unless the settings ask for more by now. */
export function growUnits(units: readonly Unit[], records: Records, cluster: Cluster): readonly Unit[] {
  return units.map((unit) => {
    const had = memoryThatWasTooLittle(unit, records);
    const { asked = 0, most } = memoryTerms(unit.resources, cluster);
    if (had === undefined || asked > had) return unit;
    const memory = `${nextMemory(had, most) ?? Math.min(had, most)}M`;
    return { ...unit, resources: { ...unit.resources, memory } };
  });
}

/** MiB; undefined if its last task ended in another way, or it had none. */
function memoryThatWasTooLittle({ id, key }: Unit, records: Records): number | undefined {
  const last = records.find(key);
  if (last === undefined) return undefined;
  const { had, next } = readTries(memoryFile(records.dirOf(last.submission), last.index));
  if (had.length > 0 && next === undefined) return had.at(-1);
  if (endedForMemory({ stage: id, key }, records)) return next ?? records.read(last.submission).memory?.asked;
  // It was cancelled before it came back with more.
  return had.at(-1);
}

/** Whether Slurm ended the last task of a stage for its memory, before that could say anything. */
export function endedForMemory(
  { stage, key }: { readonly stage: string; readonly key: InputKey },
  records: Records,
): boolean {
  const last = records.find(key);
  if (last === undefined) return false;
  const dir = records.dirOf(last.submission);
  if (wasCancelled(dir, last.index)) return false;
  if (readStory(eventsOf(dir, last.index)).outcomes.has(stage)) return false;
  return saysMemory(tailOf(logOf(dir, last.index)));
}
