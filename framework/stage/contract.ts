import type { Json, JsonObject } from './json.ts';

/** Where a stage is; becomes one line of the progress display. */
export interface Progress {
  /** Steps done so far and in all. */
  readonly step: number;
  readonly of: number;
  /** Images used so far, all steps together; the framework derives images per second. */
  readonly images?: number;
  /** Shown behind the rate: `{ loss: 1.234, accuracy: 0.41 }`. */
  readonly values?: { readonly [name: string]: number };
}

/** An upstream result or a leaf, as a stage sees it. */
export interface StageInput {
  readonly kind: string;
  readonly config: JsonObject;
  /** Folder of the committed outputs; for a leaf, the empty string. Read only. */
  readonly dir: string;
  /** The component's `files`, absolute paths. */
  readonly files: { readonly [name: string]: string };
  /** What that stage was given itself, wired inputs included, all the way up: reports and loaders look here. */
  readonly inputs: { readonly [name: string]: StageInput };
  /**
   * Calls `load` of the component's `load` module with this input. The type is the caller's claim:
   * every component of a role loads to that role's interface (`Dataset`, `FeatureNetwork`, `Tokenizer`, ...).
   */
  load<T>(): Promise<T>;
}

/** Everything that a stage may depend on. A stage is deterministic given config, inputs, seed and its code. */
export interface StageContext<Config extends JsonObject = JsonObject> {
  readonly config: Config;
  /** Stages whose role has no seed of its own (datasets, reports) get 0. */
  readonly seed: number;
  readonly inputs: { readonly [name: string]: StageInput };
  /** Empty folder for the outputs; committed as a whole when `run` resolves. */
  readonly outDir: string;
  /** Survives crashes, wiped on success: the place of checkpoints. Never part of the result. */
  readonly scratchDir: string;
  /** Chosen engine, not part of the key. `threads` is at least 1. */
  readonly engine: {
    readonly name: string;
    readonly threads: number;
    /** Told by whoever opens the engine: name and versions, for the provenance of the result. */
    onOpen?(description: string): void;
  };
  /** Aborted on Ctrl-C: the stage stops soon, by throwing `signal.reason`. */
  readonly signal: AbortSignal;
  /** Cheap: call it every step; the framework thins it out. */
  progress(update: Progress): void;
  /** Appends a line to `metrics.jsonl` in `outDir`. Training history: never wall-clock times. */
  log(record: { readonly [name: string]: Json }): void;
}

/**
 * The final numbers of a stage: what tables are made of. The framework writes them, with the name of the engine
 * that made them, to `metrics.json` among the outputs: `{ "engine": "onnx", "metrics": { "psnr": 21.3 } }`.
 */
export interface StageResult {
  readonly metrics?: { readonly [name: string]: number };
}

export type StageFunction<Config extends JsonObject = JsonObject> = (
  context: StageContext<Config>,
) => Promise<StageResult>;

export type LoadFunction<T> = (input: StageInput) => Promise<T>;
