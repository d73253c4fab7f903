import type { Component } from '../../framework/stage/component.ts';
import type { Checkpoints, StageInput } from '../../framework/stage/contract.ts';

/**
 * A component as a stage sees it, without a framework: what `load` functions get, each of which knows the type of its
 * config. `dir` is empty for leaves.
 */
export function leafInput(
  { kind, config, files }: Component,
  dir = '',
  inputs: { readonly [name: string]: StageInput } = {},
): StageInput<never> {
  return {
    kind,
    config: config as never,
    dir,
    files,
    inputs,
    load: () => Promise.reject(new Error(`${kind} can't be loaded here`)),
  };
}

/** Of a stage that is never stopped: there are none, and it is never time for one. */
export const noCheckpoints: Checkpoints = {
  latest: async () => undefined,
  isDue: () => false,
  save: async () => {},
  handOver: async () => {},
};
