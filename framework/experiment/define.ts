import type { Component } from '../stage/component.ts';
import { rememberSource } from '../stage/source.ts';
import { checkExperiment } from './check.ts';
import type { Experiment, ExperimentInput } from './types.ts';

export type { Experiment, ExperimentInput } from './types.ts';

/** What the compiler checks beyond the shape: names that must be declared, and no other fields than those that exist. */
export type Checked<E extends ExperimentInput> = {
  readonly baseline:
    | (keyof E['tokenizers'] & string)
    | (E extends { readonly scratch: object } ? 'scratch' : never);
} & { readonly [Field in Exclude<keyof E, keyof ExperimentInput>]: never } & (E extends {
    readonly scratch: { readonly downstream: infer Tasks };
  }
    ? {
        readonly scratch: {
          readonly downstream: {
            readonly [Task in keyof Tasks]: Task extends keyof E['downstream']
              ? Component<'downstream'>
              : never;
          };
        };
      }
    : unknown);

/** Declares an experiment; the default export of an experiment file. Never throws: loading the file tells all errors. */
export function defineExperiment<const E extends ExperimentInput>(experiment: E & Checked<E>): Experiment {
  return construct(experiment);
}

function construct(input: ExperimentInput): Experiment {
  const experiment = { ...input, issues: checkExperiment(input) };
  return rememberSource(experiment, { input, construct: (other) => construct(other as ExperimentInput) });
}
