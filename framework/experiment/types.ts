import type { Component, ConfigIssue } from '../stage/component.ts';
import type { Look } from '../stage/disk.ts';
import type { PecoError } from '../stage/errors.ts';
import type { Role, Roles } from '../stage/roles.ts';
import type { SlurmOptions } from '../stage/slurm.ts';
import type { Change, Override } from './changes/change.ts';
import type { SweptFlags } from './changes/flags.ts';
import type { Halving } from './changes/halving.ts';
import type { FlagAssignment } from './changes/path.ts';
import type { Sweep } from './changes/sweep.ts';
import type { Problem } from './problem.ts';

type Named<T> = { readonly [name: string]: T };

/** The roles that the table says are declared as `As`. */
export type RoleDeclaredAs<As extends string> = {
  [R in Role]: Roles[R] extends { readonly declared: { readonly as: As } } ? R : never;
}[Role];

/** The field that declares components of a role. */
export type GroupOf<R extends Role> = Roles[R] extends {
  readonly declared: { readonly group: infer G extends string };
}
  ? G
  : never;

type MemberOf<R extends Role> = Roles[R] extends {
  readonly declared: { readonly names: readonly (infer N extends string)[] };
}
  ? N
  : never;

/** The field of tasks for a row without the rest, which is called by it. */
export type BareOf<R extends Role> = Roles[R] extends {
  readonly declared: { readonly bare: infer B extends string };
}
  ? B
  : never;

/** The fields that declare components, as the table of roles has them. */
export type Groups = {
  readonly [R in RoleDeclaredAs<'members'> as GroupOf<R>]: { readonly [Name in MemberOf<R>]: Component<R> };
} & {
  readonly [R in RoleDeclaredAs<'rows' | 'tasks'> as GroupOf<R>]: Named<Component<R>>;
} & {
  readonly [R in RoleDeclaredAs<'one'> as GroupOf<R>]?: Component<R>;
} & {
  readonly [R in RoleDeclaredAs<'tasks'> as BareOf<R>]?: {
    readonly [G in GroupOf<R>]: Named<Component<R> | undefined>;
  };
};

/** What `defineExperiment` takes. Some fields of `Groups` are here again, for their descriptions. */
export interface ExperimentInput extends Groups {
  /** Names the results folder. Not part of any key. */
  readonly name: string;
  /**
   * Everything runs once per seed, from a tokenizer's network to the downstream tasks. A tokenizer or network whose config
   * has a `seed` is made once by that one, and all seeds share it.
   */
  readonly seeds: readonly number[];
  /** What trains, and what tests. */
  readonly data: { readonly train: Component<'dataset'>; readonly test: Component<'dataset'> };
  /** The rows of the table, in this order. */
  readonly tokenizers: Groups['tokenizers'];
  readonly pretraining: Groups['pretraining'];
  readonly downstream: Groups['downstream'];
  /** Measures every tokenizer, by the seed that made it. */
  readonly evaluation?: NonNullable<Groups['evaluation']>;
  /** Adds the row `scratch`: downstream tasks without pretraining. A task that isn't given here has no cell in it. */
  readonly scratch?: NonNullable<Groups['scratch']>;
  /** The row that the others are compared with: a tokenizer's name, or `scratch`. */
  readonly baseline: string;
  readonly report?: NonNullable<Groups['report']>;
  /** Values for fields: every point becomes rows. Made by product, zip, chain, random or successiveHalving. */
  readonly sweep?: Sweep | Halving;
  /** What jobs of a cluster get, beside and over what the settings say. In no key. */
  readonly slurm?: SlurmOptions;
}

/** What an experiment file exports: data, validated; `issues` is not empty if it can't run. */
export interface Experiment extends ExperimentInput {
  readonly issues: readonly ConfigIssue[];
}

/** An experiment as its file declares it, or as flags changed it: what the steps of loading hand on. */
export interface Declared {
  readonly experiment: Experiment;
  /** Changes by `--set`, `--seeds` and `--tasks`. */
  readonly overrides: readonly Override[];
  /** Fields that `--sweep` sweeps, with their values. */
  readonly swept: SweptFlags;
  /** What is wrong with the flags. */
  readonly problems: readonly Problem[];
  /** Variables that its file asked for by `env` and that are not set. */
  readonly unset: readonly string[];
}

/** Flags that change an experiment. */
export interface ChangeFlags {
  /** `path=value` each; the value is JSON or, if it isn't, a string. */
  readonly set?: readonly string[];
  /** Fields that have flags of their own; set after those of `set`. */
  readonly fields?: readonly FlagAssignment[];
  /** `path=a,b,c` each: values to sweep, several paths as a product with each other and with the file's sweep. */
  readonly sweep?: readonly string[];
  /** Leaves out all other downstream tasks. */
  readonly tasks?: readonly string[];
  /** Replaces the experiment's seeds. */
  readonly seeds?: readonly number[];
}

export interface LoadOptions extends ChangeFlags {
  /** Files are found and shown relative to this folder. */
  readonly cwd: string;
  /** Every component at its smallest, for a smoke run. */
  readonly smoke?: boolean;
  /** Without the data and weights that are missing: they are listed in what is returned. */
  readonly goOn?: boolean;
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
  /** How it differs from what the file declares, by `--tasks`, `--set`, `--seeds` and `--sweep`; none if it means the same. */
  readonly changes: readonly Change[];
  /** Present for a smoke run. */
  readonly smoke?: {
    /** Paths of components that stay as they are, since they don't say how small they can be. */
    readonly unchanged: readonly string[];
  };
  /** Data and weights that aren't there, and variables that aren't set, each with its place and a hint; see `goOn`. */
  readonly missing: readonly PecoError[];
  /** Variables that the file read by `env`, with their values. */
  readonly environment: { readonly [name: string]: string };
  /** Variables that it read in another way, set or not. */
  readonly consulted: readonly string[];
  /** Where it looked by `disk`, with what was there. */
  readonly looks: ReadonlyMap<string, Look>;
  /** True if it asked for more than these lists can name: all variables, another machine. */
  readonly unbounded: boolean;
}
