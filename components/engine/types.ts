import type { Tensor } from '@tensorflow/tfjs-core';

/** `uint8` is for batches only, so that pictures travel as bytes: a step gets it as int32. */
export type Dtype = 'float32' | 'int32' | 'bool' | 'uint8';

/** A tensor in the host's memory. `data` is Float32Array for float32, Int32Array for int32, Uint8Array for bool and uint8. */
export interface HostTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Shape and type of one input of a program; `dtype` is float32 unless said. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype?: Dtype;
}

/** Nested, named tensors: parameters, optimiser state, batches, outputs. */
export type Tree = Tensor | { readonly [name: string]: Tree };

/** The same tree with every tensor in host memory. */
export type HostOf<T> = T extends Tensor ? HostTensor : { readonly [K in keyof T]: HostOf<T[K]> };

/** The same tree with every tensor described. */
export type SpecOf<T> = T extends Tensor ? TensorSpec : { readonly [K in keyof T]: SpecOf<T[K]> };

/**
 * A pure function over trees of tensors, written in tfjs-core ops (gradients by tf.grads and the like).
 * `state` is carried from call to call, `batch` comes from the host, `constants` never change (frozen weights).
 * A leaf of `state` that is returned as it came costs nothing.
 */
export type Step<S, B, O, C> = (state: S, batch: B, constants: C) => { state: S; out: O };

/** Tensors that live inside the engine; several programs may share one state. */
export interface State<S> {
  /** Copies to the host, for checkpoints. Throws EngineError while a program runs on it. */
  read(): HostOf<S>;
  /** Replaces every value by a copy; the tree, shapes and types must be the same. Throws EngineError as `read` does. */
  write(values: HostOf<S>): void;
  dispose(): void;
}

/** What a program is compiled of. */
export interface ProgramOptions<S, B, O, C> {
  /** For error messages and exported files. */
  readonly name: string;
  readonly step: Step<S, B, O, C>;
  readonly state: State<S>;
  readonly batch: SpecOf<B>;
  readonly constants?: HostOf<C>;
}

/** A compiled step. */
export interface Program<B, O> {
  /**
   * Runs one step on a batch that has exactly the compiled shapes and types and returns what the step returned.
   * The arrays returned are the caller's to keep; those of the batch must stay as they are until the promise settles.
   * Programs of one state take turns, so that steps need not be awaited one by one.
   * Throws EngineError for a batch of another spec, and if the step fails: the state is then as it was before.
   */
  run(batch: HostOf<B>): Promise<HostOf<O>>;
  dispose(): void;
}

/** Turns tfjs functions into programs. */
export interface Engine {
  /** As it was opened by, mode included: `onnx`, `tensorflow:bf16`; never `auto`. */
  readonly name: string;
  /** For reports: name, versions and threads, for example `onnx (onnxruntime-node 1.30.0, 2 threads)`. */
  readonly description: string;
  state<S>(initial: HostOf<S>): State<S>;
  compile<S, B, O, C = Record<string, never>>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>>;
  /** Disposes of its programs and states too. */
  dispose(): void;
}

/** Which engine, and what it may use. */
export interface EngineOptions {
  /** `onnx` (default, or `onnx:webgpu`), `reference`, `wasm`, `tensorflow` (or `tensorflow:bf16` and the like) or `auto`: see `openEngine`. */
  readonly name?: string;
  readonly threads?: number;
  /** Called with the description of the engine once it is open. */
  readonly onOpen?: (description: string) => void;
}

/** Everything that goes wrong in an engine: an unsupported op, a read while tracing, a batch of another spec. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}
