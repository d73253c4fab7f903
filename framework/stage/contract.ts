import type { Json, JsonObject } from './json.ts';

/** What a stage does. Until it says so it is loading: code, data, inputs. */
export type Phase = 'loading' | 'compiling' | 'training' | 'evaluating';

/** Where a stage is; becomes one line of the progress display. */
export interface Progress {
  /** Shown before the step; a change of it is shown at once, and the rate is that since then. */
  readonly phase?: Phase;
  /** Steps done so far and in all. */
  readonly step: number;
  readonly of: number;
  /** Images used so far, all steps together; the framework derives images per second. */
  readonly images?: number;
  /** What of its time, 0 to 1, the stage has waited for its data: then a faster engine would not help. */
  readonly waiting?: number;
  /** Shown behind the rate: `{ loss: 1.234, accuracy: 0.41 }`. */
  readonly values?: { readonly [name: string]: number };
}

/**
 * An upstream result or a leaf, as a stage sees it. `Loaded` is what `load` gives: every component of a role loads to
 * that role's interface (`Dataset`, `FeatureNetwork`, `Tokenizer`, ...).
 */
export interface StageInput<Config extends object = JsonObject, Loaded = unknown> {
  readonly kind: string;
  readonly config: Config;
  /** Folder of the committed outputs; for a leaf, the empty string. Read only. */
  readonly dir: string;
  /** The component's `files`, absolute paths. */
  readonly files: { readonly [name: string]: string };
  /** What that stage was given itself, wired inputs included, all the way up: reports and loaders look here. */
  readonly inputs: { readonly [name: string]: StageInput };
  /** Calls `load` of the component's `load` module with this input. */
  load(): Promise<Loaded>;
}

/** What the inputs of a stage load to, where it doesn't say. */
export type AnyInputs = { readonly [name: string]: unknown };

/** The inputs of a stage by what they load to: `{ train: Dataset; network?: FeatureNetwork }`. */
export type StageInputs<Inputs extends object = AnyInputs> = {
  readonly [Name in keyof Inputs]: StageInput<JsonObject, Exclude<Inputs[Name], undefined>>;
};

/** A saved state of a training, to go on from. */
export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  /** Holds what `save` or `handOver` was given to write. Read only. */
  readonly dir: string;
  /** Steps that the previous rung had done when this stage began; 0 without one. */
  readonly begun: number;
}

/**
 * Saved states of one stage, so that it resumes where it was interrupted or killed. The framework keeps the two latest in
 * the stage's work folder, with the lines logged so far, and deletes them when the stage has a result.
 */
export interface Checkpoints {
  /**
   * The latest whole state, whichever engine computed it; without one, that of `inputs.previous`. So `write` saves
   * nothing that only one engine can read. Lines logged until then are in `metrics.jsonl` again, instead of those logged
   * before this call. Damaged states are warned of and passed over.
   *
   * @throws Error if `inputs.previous` holds no whole state
   */
  latest(): Promise<Checkpoint | undefined>;
  /** Whether it is time to save: after half a minute, and never for more than 2 % of the stage's time. Cheap. */
  isDue(): boolean;
  /**
   * Saves the state after `step` steps: `write` puts its files into the folder that it gets, everything that the next
   * step depends on. All of it is kept or nothing. Never throws: if it can't be written, there is a warning.
   */
  save(step: number, write: (dir: string) => void | Promise<void>): Promise<void>;
  /** Puts the state out as a part of the result, for the next rung; called instead of finishing, see `until`. */
  handOver(step: number, write: (dir: string) => void | Promise<void>): Promise<void>;
}

/** Everything that a stage may depend on. A stage is deterministic given config, inputs, seed and its code. */
export interface StageContext<Config extends object = JsonObject, Inputs extends object = AnyInputs> {
  readonly config: Config;
  /** Stages whose role has no seed of its own (datasets, reports) get 0. */
  readonly seed: number;
  readonly inputs: StageInputs<Inputs>;
  /** The component's own `files`, absolute paths. */
  readonly files: { readonly [name: string]: string };
  /** Empty folder for the outputs; committed as a whole when `run` resolves. */
  readonly outDir: string;
  /** Survives crashes, wiped on success: the place of checkpoints. Never part of the result. */
  readonly workDir: string;
  readonly checkpoints: Checkpoints;
  /**
   * Only for stages that are a rung of successive halving: train up to here, in the unit of the field that `steps` of the
   * definition names, and hand over the state if that isn't the end of the training. `inputs.previous` is then the rung before, if there is one.
   */
  readonly until?: number;
  /** Chosen engine, not part of the key. `threads` is at least 1. */
  readonly engine: {
    readonly name: string;
    readonly threads: number;
    /** Set by what opens the engine: name and versions, for the provenance of the result. */
    onOpen?(description: string): void;
  };
  /** Aborted on Ctrl-C: the stage saves a checkpoint and stops soon, by throwing `signal.reason`. */
  readonly signal: AbortSignal;
  /**
   * Cheap: call it every step; the framework thins it out. A stage whose last report of a number, here or by `log`, is
   * NaN or infinite has failed when it resolves, and its state is not saved until then.
   */
  progress(update: Progress): void;
  /** Warns the user, beside the progress. Not part of the result. */
  warn?(message: string): void;
  /** Appends a line to `metrics.jsonl` in `outDir`. Training history: never wall-clock times. */
  log(record: { readonly [name: string]: Json }): void;
}

/**
 * The final numbers of a stage: what tables are made of. They must be finite: the stage fails otherwise. The framework
 * writes them, with the name of the engine that made them, to `metrics.json` among the outputs:
 * `{ "engine": "onnx", "metrics": { "psnr": 21.3 } }`. Of a training that moved to another engine on the way it is
 * `onnx, from step 60 tensorflow:bf16`.
 */
export interface StageResult {
  readonly metrics?: { readonly [name: string]: number };
  /**
   * What a report should say of this result beside its numbers, in a few words: `network trained on 9,000 labels`. Only
   * what the stage knows; it becomes `about` in `metrics.json`.
   */
  readonly about?: string;
  /**
   * Of metrics that are means over test images the value of each image, in the order of the test data: 1 and 0 for right
   * and wrong. It becomes `per-image.json`, `{ "top1": [1, 0, 1] }`, by which a report tells how much of a difference
   * between two rows may be chance of the test images. A metric that isn't the mean of its values is an error.
   */
  readonly perImage?: { readonly [metric: string]: ArrayLike<number> };
  /**
   * Of metrics that are no means over test images, such as mIoU and AP: their values on test sets that are drawn from the
   * images of the test with replacement. It becomes `resampled.json`, from which a report tells the same as from `perImage`.
   * `resampled` of peco-exp/kit draws them.
   */
  readonly resampled?: {
    /** Images of the test. */
    readonly images: number;
    /** Names the draws: stages with the same text, as many images and the same test data have drawn the same test sets. */
    readonly draws: string;
    /** A value for each test set. */
    readonly values: { readonly [metric: string]: ArrayLike<number> };
  };
}

/**
 * What a `run` module exports. It says once what its config is and what its inputs load to:
 * `StageFunction<VqvaeConfig, { train: Dataset; network?: FeatureNetwork }>`.
 */
export type StageFunction<Config extends object = JsonObject, Inputs extends object = AnyInputs> = (
  context: StageContext<Config, Inputs>,
) => Promise<StageResult>;

/** What a `load` module exports: how others use the result, or the files, of a component with this config. */
export type LoadFunction<Loaded, Config extends object = JsonObject> = (
  input: StageInput<Config>,
) => Promise<Loaded>;

/** What an `exportResult` function returns. */
export interface Exported {
  /** How another program loads the file, in a line or a few: shown to the user, with its path for the word FILE. */
  readonly load?: readonly string[];
}

/**
 * What the module of a component's `exports` exports as `exportResult`: writes a stored result to `file` as another program
 * reads it. The framework moves the file to its place once this resolves.
 *
 * @throws StageError for a result that the format can't hold, with the reason
 */
export type ExportFunction<Config extends object = JsonObject> = (
  input: StageInput<Config>,
  options: { readonly format: string; readonly file: string },
) => Promise<Exported>;

/** A stage of an experiment as pages of a report see it: what it is, and how its result was made. */
export interface StageRecord {
  /** `tokenizer/peco/seed-1`. */
  readonly id: string;
  readonly role: string;
  readonly kind: string;
  readonly seed: number;
  readonly config: JsonObject;
  /** Ids of the stages that it waits for, inputs first. */
  readonly needs: readonly string[];
  /** The cells of the table that it fills. */
  readonly cells: readonly { readonly variant: string; readonly task: string }[];
  /** Its result; absent where it has none. */
  readonly result?: {
    readonly key: string;
    /** Folder of its outputs. Read only. */
    readonly dir: string;
    /** Engine, seconds, run, commit, host, ...: how it was made. */
    readonly provenance: JsonObject;
  };
  /** Why it has no result. */
  readonly missing?: string;
  /** A halved sweep dropped its point. */
  readonly dropped?: boolean;
}

/** What the `pages` of a report are made of. */
export interface PagesContext<Config extends object = JsonObject> {
  /** As `run` got them. */
  readonly config: Config;
  readonly inputs: StageInputs;
  /** Folder of what `run` wrote. Read only. */
  readonly dir: string;
  /** All stages but the report, each after those that it waits for. */
  readonly stages: readonly StageRecord[];
  /** Arguments of peco-exp that make the same results from an empty store, in the project's folder. */
  readonly command: readonly string[];
  /** Version of peco-exp; null where it is unknown. */
  readonly version: string | null;
}

/** A file for the results folder. */
export interface ReportFile {
  /** Its name there. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

/**
 * What the module of a report's `pages` exports as `pages`: files that also say how results were made, such as what they
 * cost. They are no part of the report's result, and in no key. The same stages give the same bytes.
 */
export type PagesFunction<Config extends object = JsonObject> = (
  context: PagesContext<Config>,
) => Promise<readonly ReportFile[]>;
