import type { Unit } from './jobs.ts';

/** Stages that share a task, in their order: each is in the first pack that has room for it. */
export function packsOf(units: readonly Unit[]): readonly (readonly Unit[])[] {
  const packs: Unit[][] = [];
  for (const unit of units) {
    const pack = packs.find((one) => hasRoom(one, unit));
    if (pack) pack.push(unit);
    else packs.push([unit]);
  }
  return packs;
}

/** Whether a stage may join others of its kind. One of which nothing tells how long it takes stays alone. */
export function hasRoom(others: readonly Unit[], unit: Unit): boolean {
  const { pack } = unit.resources;
  if (others.length === 0) return true;
  if (typeof pack === 'number') return others.length < pack;
  const seconds = [...others, unit].reduce((sum, one) => sum + (one.seconds ?? Number.POSITIVE_INFINITY), 0);
  return seconds <= pack.seconds;
}
