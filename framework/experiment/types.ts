import type { Component, ConfigIssue } from '../stage/component.ts';
import type { Look } from '../stage/disk.ts';
import type { Json } from '../stage/json.ts';
import type { Change } from './changes/change.ts';
import type { Halving } from './changes/halving.ts';
import type { Sweep } from './changes/sweep.ts';

type Named<T> = { readonly [name: string]: T };

/** What `defineExperiment` takes. */
export interface ExperimentInput {
  /** Names the results folder. Not part of any key. */
  readonly name: string;
  /**
   * Everything runs once per seed, from a tokenizer's network to the downstream tasks. A tokenizer or network whose config
   * has a `seed` is made once by that one, and all seeds share it.
   */
  readonly seeds: readonly number[];
  readonly data: { readonly train: Component<'dataset'>; readonly test: Component<'dataset'> };
  /** The rows of the table, in this order. */
  readonly tokenizers: Named<Component<'tokenizer'>>;
  readonly pretraining: Named<Component<'pretraining'>>;
  readonly downstream: Named<Component<'downstream'>>;
  /** Measures every tokenizer, by the seed that made it. */
  readonly evaluation?: Component<'evaluation'>;
  /** Adds the row `scratch`: downstream tasks without pretraining. A task that isn't given here has no cell in it. */
  readonly scratch?: { readonly downstream: Named<Component<'downstream'> | undefined> };
  /** The row that the others are compared with: a tokenizer's name, or `scratch`. */
  readonly baseline: string;
  readonly report?: Component<'report'>;
  /** Values for fields: every point becomes rows. Made by product, zip, chain, random or successiveHalving. */
  readonly sweep?: Sweep | Halving;
}

/** What an experiment file exports: data, validated; `issues` is not empty if it can't run. */
export interface Experiment extends ExperimentInput {
  readonly issues: readonly ConfigIssue[];
}

/** A change by `--set`; `from` is null where the field wasn't there. */
export interface Override {
  readonly path: string;
  readonly from: Json;
  readonly to: Json;
  /** The outermost field above it that was no object, so that the change made one of it; absent if there is none. */
  readonly made?: string;
}

export interface LoadOptions {
  /** `path=value` each; the value is JSON or, if it isn't, a string. */
  readonly set?: readonly string[];
  /** `path=a,b,c` each: values to sweep, several paths as a product with each other and with the file's sweep. */
  readonly sweep?: readonly string[];
  /** Replaces the experiment's seeds. */
  readonly seeds?: readonly number[];
  /** Files are found and shown relative to this folder. */
  readonly cwd: string;
}

export interface LoadedExperiment {
  /** Absolute, without links. */
  readonly file: string;
  /** The path as it was given, made absolute. */
  readonly asked: string;
  readonly experiment: Experiment;
  /** Project files that the experiment is made of, absolute, sorted. */
  readonly sources: readonly string[];
  /** The bundled file; its name changes with its content. */
  readonly bundle: string;
  readonly overrides: readonly Override[];
  /** How it differs from what the file declares, by `--set`, `--seeds` and `--sweep`; none if it means the same. */
  readonly changes: readonly Change[];
  /** Variables that the file read by `env`, with their values. */
  readonly environment: { readonly [name: string]: string };
  /** Variables that it read in another way, set or not. */
  readonly consulted: readonly string[];
  /** Where it looked by `disk`, with what was there. */
  readonly looks: ReadonlyMap<string, Look>;
  /** True if it asked for more than these lists can name: all variables, another machine. */
  readonly unbounded: boolean;
}
