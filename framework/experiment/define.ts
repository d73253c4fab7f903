import type { Component } from '../stage/component.ts';
import { rememberSource } from '../stage/source.ts';
import { checkExperiment } from './check.ts';
import { refusedIn } from './refused.ts';
import type { Experiment, ExperimentInput } from './types.ts';

export type { Experiment, ExperimentInput } from './types.ts';

/** What the compiler checks beyond the shape: names that must be declared, and no other fields than those that exist. */
export type Checked<E extends ExperimentInput> = {
  readonly baseline:
    | (keyof E['tokenizers'] & string)
    | (E extends { readonly scratch: object } ? 'scratch' : never);
} & { readonly [Field in Exclude<keyof E, keyof Experiment>]: never } & (E extends {
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

/** An experiment that still knows the names that were declared, so that another file may build on it. */
export type Declared<E extends ExperimentInput> = Omit<E, 'issues'> &
  Omit<Experiment, Exclude<keyof E, 'issues'>>;

/**
 * Declares an experiment; the default export of an experiment file. Never throws: loading the file tells all errors.
 * To build on another one, spread it: `defineExperiment({ ...base, seeds: [0, 1, 2] })`.
 */
export function defineExperiment<const E extends ExperimentInput>(experiment: E & Checked<E>): Declared<E> {
  return construct(experiment) as unknown as Declared<E>;
}

function construct(input: ExperimentInput): Experiment {
  const experiment = { ...input } as Experiment;
  // Not enumerable, so that a spread of the experiment is an input again.
  Object.defineProperty(experiment, 'issues', { value: [...checkExperiment(input), ...refusedIn(input)] });
  return rememberSource(experiment, { input, construct: (other) => construct(other as ExperimentInput) });
}
