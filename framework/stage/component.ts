import type { Costs, UseCosts } from './costs.ts';
import type { Json, JsonObject } from './json.ts';
import type { Role } from './roles.ts';

export type { Role } from './roles.ts';

/** One thing that is wrong in a component's config, with the path of the field inside that config. */
export interface ConfigIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
  /**
   * The field names data or weights that aren't there, and all else is right: `plan` goes on and lists them, `run` refuses.
   */
  readonly missing?: true;
}

/** A file that a user has to have, with more than its place. */
export interface NeededFile {
  /** Absolute. */
  readonly path: string;
  /** Where it is written in the config. */
  readonly field?: readonly (string | number)[];
  /** What its bytes must have: the first hexadecimal digits of the sha256, or all. */
  readonly sha256?: string;
  /** Where it can be had. */
  readonly hint?: string;
}

/** A component that the framework wires to another one, as that one sees it. */
export interface WiredInput {
  /** For messages: `data.train`, `the tokenizer "peco"`. */
  readonly name: string;
  /** What it `provides`. A fact that it doesn't tell may be anything. */
  readonly facts: { readonly [fact: string]: Json | undefined };
  /** What it costs to use it for an image of so many pixels a side; undefined where it doesn't say. */
  readonly use?: (size: number) => UseCosts | undefined;
}

/** An input as `smoke` sees it: what it provides as declared, and what it will provide in a smoke run. */
export interface SmokeInput extends WiredInput {
  readonly smoke: WiredInput['facts'];
}

/** What a component may look at to say how small it can be. */
export interface SmokeContext {
  /** Of a data set: as what it is declared, `train` or `test`, by the experiment or by a task that has data of its own. */
  readonly member?: string;
  /** Those of the first row that has the component. */
  readonly inputs: { readonly [name: string]: SmokeInput | undefined };
}

/**
 * Changes of a component's input: fields of nested objects one by one, lists as a whole; `undefined` takes a field out, so
 * that its default counts. Nested components are left out: they have changes of their own.
 */
export type SmokeChanges = { readonly [field: string]: unknown };

/** By the names in the table of roles, and those of nested components; one that isn't there is undefined. */
export type WiredInputs = { readonly [name: string]: WiredInput | undefined };

/** A relation between a component and what it is wired to that doesn't hold. */
export interface WiringIssue extends ConfigIssue {
  /** Name of the input in whose config the path is; absent: the component's own. */
  readonly of?: string;
}

/** What a stage needs of a machine, as hints for the scheduler. Never part of a key. */
export interface Resources {
  /** The most cores that it can make use of; it gets no more threads, and fewer where many stages run at once. */
  readonly cores?: number;
  /** The most memory that its process takes, in MiB. Stages without this count as needing none. */
  readonly memory?: number;
}

/** The formats that a result can be exported to, and the module that does it. */
export interface Exports {
  /** `file:` URL of the module that exports `exportResult: ExportFunction`. Loaded when something is exported. */
  readonly module: string;
  /** By name, in the order in which they are listed: the ending of a file, with the dot. */
  readonly formats: { readonly [format: string]: string };
}

/**
 * A component: the value that a constructor such as `vqvae({...})` returns and an experiment file declares.
 * It is data only. Its code lives in two modules that are loaded in the processes of stages, never while planning:
 *
 * - `run` makes the result: exports `run: StageFunction`. Absent for leaves (datasets, committed weights).
 * - `load` lets other stages use the result: exports `load: LoadFunction`. Absent where no stage uses it as an input.
 */
export interface Component<R extends Role = Role, Config extends object = JsonObject> {
  readonly role: R;
  /** What is it? Part of every key, so never rename: `vqvae`, `vgg`, `fashion-mnist`, ... */
  readonly kind: string;
  /** With all defaults applied. Holds no nested component: those are in `inputs`. */
  readonly config: Config;
  /** The config as it counts in keys: without what `added` leaves out. Absent: all of it does. */
  readonly keyed?: JsonObject;
  /** Counts up when a kind's configs mean something else than before; part of every key. Absent: 1. */
  readonly version?: number;
  /** `file:` URLs of the implementation modules. */
  readonly implementation: { readonly run?: string; readonly load?: string };
  /** Components that this one uses, such as the network of a perceptual loss. They win over wired inputs of that name. */
  readonly inputs: { readonly [name: string]: Component };
  /**
   * Files outside the code that are part of the meaning: their bytes are in the key. Absolute paths by name; a folder
   * stands for all files in it, however deep.
   */
  readonly files: { readonly [name: string]: string };
  /** More of those `files` that are single files with conditions, by the same names. Never part of a key. */
  readonly needed?: { readonly [name: string]: NeededFile };
  /**
   * Names that users of this component may refer to: the layers of a network, the metrics of an evaluation. Checked,
   * never part of a key.
   */
  readonly offers?: readonly string[];
  /**
   * What its consumers may rely on, such as the stride of a tokenizer; of datasets that of `components/data/types.ts`.
   * Checked, never part of a key.
   */
  readonly provides?: { readonly [fact: string]: Json | undefined };
  /** What doesn't fit what it is wired to. Called before anything runs, once for each row; never part of a key. */
  readonly expects?: (inputs: WiredInputs) => readonly WiringIssue[];
  /** What its stage needs of a machine. Never part of a key. */
  readonly resources?: Resources;
  /** How `peco-exp export` writes its result for other programs. Never part of a key. */
  readonly exports?: Exports;
  /**
   * Of a report: `file:` URL of the module that exports `pages: PagesFunction`, which writes files beside its result. Never
   * part of a key.
   */
  readonly pages?: string;
  /** The smallest size at which every code path of its stage still runs; see `defineComponent`. Never part of a key. */
  readonly smoke?: (context: SmokeContext) => SmokeChanges;
  /** What its stage computes, for `plan`. Never part of a key. */
  readonly costs?: (inputs: WiredInputs) => Costs | undefined;
  /** What its result costs those that use it, for an image of so many pixels a side. Never part of a key. */
  readonly use?: (size: number) => UseCosts | undefined;
  /** Path of the config field that says how long it trains (`steps`, `epochs`), if that can stop early. Never part of a key. */
  readonly steps?: string;
  /** What was wrong with the config; collected so that all errors are listed at once. Then `config` is the raw input. */
  readonly issues: readonly ConfigIssue[];
}
