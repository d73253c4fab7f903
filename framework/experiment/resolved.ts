import type { Component } from '../stage/component.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import { declaredRoles, groupFields } from '../stage/roles.ts';
import { isComponent } from '../stage/source.ts';
import { isHalving, pointsOf } from './changes/halving.ts';
import { get } from './tree.ts';
import type { Experiment } from './types.ts';

/** What stands for a file or a folder of data: its path, or its digest. */
type DescribeFile = (file: string) => Json;

/**
 * A valid experiment as plain data: all components with all defaults, the order of its rows, seeds and sweep. Equal
 * descriptions are of experiments that mean the same.
 */
export function describeExperiment(experiment: Experiment, describeFile: DescribeFile): JsonObject {
  const { name, seeds, baseline, sweep } = experiment;
  const groups = groupFields().flatMap((field): [string, Json][] => {
    const group = get(experiment, [field]);
    return group === undefined ? [] : [[field, describe(group as Described, describeFile)]];
  });
  // Names in the order in which they are declared, which is that of the rows and columns.
  const order = declaredRoles('rows', 'tasks').map(({ declared }): [string, Json] => [
    declared.group,
    Object.keys(get(experiment, [declared.group]) as object),
  ]);
  return {
    name,
    seeds: [...seeds],
    baseline,
    order: Object.fromEntries(order),
    ...Object.fromEntries(groups),
    ...(sweep === undefined ? {} : { sweep: describeSweep(sweep) }),
  };
}

/** A component, or components by name, however deep. */
type Described = Component | { readonly [name: string]: Described | undefined };

function describe(value: Described, describeFile: DescribeFile): JsonObject {
  if (isComponent(value)) return describeComponent(value, describeFile);
  const parts = Object.entries(value).flatMap(([name, one]): [string, Json][] =>
    one === undefined ? [] : [[name, describe(one, describeFile)]],
  );
  return Object.fromEntries(parts);
}

function describeComponent(component: Component, describeFile: DescribeFile): JsonObject {
  const { role, kind, version, config, inputs, files } = component;
  const described = Object.entries(files).map(([name, file]): [string, Json] => [name, describeFile(file)]);
  return {
    role,
    kind,
    ...(version === undefined ? {} : { version }),
    config,
    ...(Object.keys(inputs).length === 0 ? {} : { inputs: describe(inputs, describeFile) }),
    ...(described.length === 0 ? {} : { files: Object.fromEntries(described) }),
  };
}

function describeSweep(sweep: NonNullable<Experiment['sweep']>): JsonObject {
  const points = pointsOf(sweep) as Json;
  return isHalving(sweep) ? { points, halving: sweep.halving as unknown as Json } : { points };
}
