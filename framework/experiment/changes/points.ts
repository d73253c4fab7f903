import type { Component } from '../../stage/component.ts';
import { placeOf } from '../../stage/roles.ts';
import { get, inside, type Memory, set } from '../tree.ts';
import type { Experiment } from '../types.ts';
import { type Assigned, assign } from './assign.ts';
import type { Assignment, FieldPath } from './path.ts';
import type { Point } from './sweep.ts';

/** Components with swept values: those that many points share are made once, for checks and for rows. */
const memory: Memory = new WeakMap();

/** How the components of an experiment's points are made, where not by setting fields of those that it has. */
export interface PointMaker {
  /** The experiment whose fields a point sets. */
  readonly base: Experiment;
  /** What becomes of a component of `base` with swept fields. */
  finish(component: Component, path: FieldPath): Component;
}

const makers = new WeakMap<Experiment, PointMaker>();

/** From now on the points of an experiment are made in another way. */
export function makePointsBy(experiment: Experiment, maker: PointMaker): void {
  // A component with the same swept values is one object, see `memory`: so is what becomes of it.
  const finished = new WeakMap<Component, Component>();
  makers.set(experiment, {
    base: maker.base,
    finish(component, path) {
      const made = finished.get(component) ?? maker.finish(component, path);
      finished.set(component, made);
      return made;
    },
  });
}

/** The fields of an experiment at a point of its sweep, and what is wrong with the point. */
export function assignPoint(experiment: Experiment, assignments: readonly Assignment[]): Assigned<unknown> {
  const maker = makers.get(experiment);
  const assigned = assign(inside(maker?.base ?? experiment), assignments, { done: 'swept', memory });
  return maker ? { ...assigned, tree: finish(assigned.tree, experiment, assignments, maker) } : assigned;
}

/** The same of a valid experiment. */
export function fieldsAtPoint(experiment: Experiment, assignments: readonly Assignment[]): unknown {
  const maker = makers.get(experiment);
  const tree = set(inside(maker?.base ?? experiment), assignments, memory);
  return maker ? finish(tree, experiment, assignments, maker) : tree;
}

function finish(
  tree: unknown,
  experiment: Experiment,
  assignments: readonly Assignment[],
  maker: PointMaker,
) {
  const paths = new Map(
    assignments.flatMap(({ path }) => {
      const own = componentOf(path);
      return own ? [[own.join('.'), own]] : [];
    }),
  );
  const components = [...paths.values()].map((path) => ({
    path,
    value: maker.finish(get(tree, path) as Component, path) as never,
  }));
  return set(inside(experiment), components);
}

export function assignmentsOf(point: Point): Assignment[] {
  return Object.entries(point).map(([path, value]) => ({ path: path.split('.'), value }));
}

/** Path of the component that a swept path leads into; undefined if it leads into none. */
export function componentOf(path: readonly string[]): readonly string[] | undefined {
  const place = placeOf(path);
  return place === undefined || path.length <= place.depth ? undefined : path.slice(0, place.depth);
}
