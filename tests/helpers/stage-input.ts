import type { Component } from '../../framework/stage/component.ts';
import type { StageInput } from '../../framework/stage/contract.ts';

/** A component as a stage sees it, without a framework: what `load` functions get. `dir` is empty for leaves. */
export function leafInput(
  { kind, config, files }: Component,
  dir = '',
  inputs: { readonly [name: string]: StageInput } = {},
): StageInput {
  return {
    kind,
    config,
    dir,
    files,
    inputs,
    load: () => Promise.reject(new Error(`${kind} can't be loaded here`)),
  };
}
