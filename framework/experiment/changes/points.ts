import { placeOf } from '../../stage/roles.ts';
import { inside, type Memory, set } from '../tree.ts';
import type { Experiment } from '../types.ts';
import { type Assigned, assign } from './assign.ts';
import type { Assignment } from './path.ts';
import type { Point } from './sweep.ts';

/** Components with swept values: those that many points share are made once, for checks and for rows. */
const memory: Memory = new WeakMap();

/** The fields of an experiment at a point of its sweep, and what is wrong with the point. */
export function assignPoint(experiment: Experiment, assignments: readonly Assignment[]): Assigned<unknown> {
  return assign(inside(experiment), assignments, { done: 'swept', memory });
}

/** The same of a valid experiment. */
export function fieldsAtPoint(experiment: Experiment, assignments: readonly Assignment[]): unknown {
  return set(inside(experiment), assignments, memory);
}

export function assignmentsOf(point: Point): Assignment[] {
  return Object.entries(point).map(([path, value]) => ({ path: path.split('.'), value }));
}

/** Path of the component that a swept path leads into; undefined if it leads into none. */
export function componentOf(path: readonly string[]): readonly string[] | undefined {
  const place = placeOf(path);
  return place === undefined || path.length <= place.depth ? undefined : path.slice(0, place.depth);
}
