import type { Component } from '../stage/component.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import { isHalving, pointsOf } from './changes/halving.ts';
import type { Experiment } from './types.ts';

/**
 * A valid experiment as plain data: all components with all defaults, the order of its rows, seeds and sweep. Equal
 * descriptions are of experiments that mean the same.
 *
 * @param describeFile what stands for a file or a folder of data: its path, or its digest
 */
export function describeExperiment(experiment: Experiment, describeFile: (file: string) => Json): JsonObject {
  const {
    name,
    seeds,
    baseline,
    data,
    tokenizers,
    pretraining,
    downstream,
    evaluation,
    scratch,
    report,
    sweep,
  } = experiment;

  function describe(component: Component): JsonObject {
    const { role, kind, version, config, inputs, files } = component;
    return {
      role,
      kind,
      ...(version === undefined ? {} : { version }),
      config,
      ...(Object.keys(inputs).length === 0 ? {} : { inputs: group(inputs) }),
      ...(Object.keys(files).length === 0
        ? {}
        : {
            files: Object.fromEntries(Object.entries(files).map(([key, file]) => [key, describeFile(file)])),
          }),
    };
  }

  function group(components: { readonly [name: string]: Component | undefined }): JsonObject {
    return Object.fromEntries(
      Object.entries(components).flatMap(([key, one]) => (one === undefined ? [] : [[key, describe(one)]])),
    );
  }

  return {
    name,
    seeds: [...seeds],
    baseline,
    // Names in the order in which they are declared, which is that of the rows and columns.
    order: {
      tokenizers: Object.keys(tokenizers),
      pretraining: Object.keys(pretraining),
      downstream: Object.keys(downstream),
    },
    data: group(data),
    tokenizers: group(tokenizers),
    pretraining: group(pretraining),
    downstream: group(downstream),
    ...(evaluation ? { evaluation: describe(evaluation) } : {}),
    ...(scratch ? { scratch: { downstream: group(scratch.downstream) } } : {}),
    ...(report ? { report: describe(report) } : {}),
    ...(sweep === undefined
      ? {}
      : {
          sweep: {
            points: pointsOf(sweep) as Json,
            ...(isHalving(sweep) ? { halving: sweep.halving as unknown as Json } : {}),
          },
        }),
  };
}
