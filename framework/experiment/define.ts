import type { Component } from '../stage/component.ts';
import type { OfferedBy } from '../stage/define.ts';
import { rememberSource } from '../stage/source.ts';
import type { Halving } from './changes/halving.ts';
import { refusedIn } from './problems.ts';
import { checkExperiment } from './schema.ts';
import type { Experiment, ExperimentInput } from './types.ts';

export type { Experiment, ExperimentInput } from './types.ts';

declare const oneOf: unique symbol;

/** What the compiler says of a name that isn't there: nothing has this type. */
interface NoSuchName<Names extends PropertyKey> {
  readonly [oneOf]: Names;
}

/**
 * What the compiler checks beyond the shape: a baseline and tasks that are declared, a metric that the evaluation has, and
 * no other fields than those that exist. A mapped type and no intersection with E, which would be `never` where a literal isn't among the names: then
 * the compiler reports every field.
 */
export type Checked<E extends ExperimentInput> = {
  readonly [Field in keyof E]: Field extends 'baseline'
    ? keyof E['tokenizers'] | (E extends { readonly scratch: object } ? 'scratch' : never)
    : Field extends 'scratch'
      ? CheckedScratch<E>
      : Field extends 'sweep'
        ? CheckedSweep<E>
        : Field extends keyof Experiment
          ? E[Field]
          : NoSuchName<{ [F in keyof ExperimentInput]-?: F }[keyof ExperimentInput]>;
};

/** A halving ranks points by a metric that the evaluation has. */
type CheckedSweep<E extends ExperimentInput> =
  E['sweep'] extends Halving<string> ? Halving<OfferedBy<NonNullable<E['evaluation']>>> : E['sweep'];

type CheckedScratch<E extends ExperimentInput> =
  | {
      readonly downstream: {
        readonly [Task in keyof ScratchTasks<E>]: Task extends keyof E['downstream']
          ? Component<'downstream'> | undefined
          : NoSuchName<keyof E['downstream']>;
      };
    }
  | undefined;

type ScratchTasks<E> = E extends { readonly scratch: { readonly downstream: infer Tasks } } ? Tasks : unknown;

/** An experiment that still knows the names that were declared, so that another file may build on it. */
export type Defined<E extends ExperimentInput> = Omit<E, 'issues'> &
  Omit<Experiment, Exclude<keyof E, 'issues'>>;

/**
 * Declares an experiment; the default export of an experiment file. Never throws: loading the file tells all errors.
 * To build on another one, spread it: `defineExperiment({ ...base, seeds: [0, 1, 2] })`.
 */
export function defineExperiment<const E extends ExperimentInput>(experiment: Checked<E>): Defined<E> {
  return construct(experiment as unknown as ExperimentInput) as unknown as Defined<E>;
}

function construct(input: ExperimentInput): Experiment {
  const experiment = { ...input } as Experiment;
  // Not enumerable, so that a spread of the experiment is an input again.
  Object.defineProperty(experiment, 'issues', { value: [...checkExperiment(input), ...refusedIn(input)] });
  return rememberSource(experiment, { input, construct: (other) => construct(other as ExperimentInput) });
}
