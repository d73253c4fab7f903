/** Arrays of tensors as they go from thread to thread. */
export type Numbers = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** A value for a placeholder. */
export interface Feed {
  readonly name: string;
  /** TensorFlow's number of it. */
  readonly type: number;
  readonly shape: readonly number[];
  /** A copy, whose memory goes to the thread with it. */
  readonly data: Numbers;
}

/** What TensorFlow's thread is asked to do. Sessions have numbers, which the caller chooses. */
export type Request =
  /** Loads a graph: the bytes of a `saved_model.pb`. */
  | { readonly kind: 'open'; readonly session: number; readonly model: Uint8Array<ArrayBuffer> }
  /** Runs what the outputs, names of nodes, need; the answer has their values. */
  | {
      readonly kind: 'run';
      readonly session: number;
      readonly feeds: readonly Feed[];
      readonly outputs: readonly string[];
    }
  | { readonly kind: 'close'; readonly session: number }
  /** How many tensors the addon holds. */
  | { readonly kind: 'count' };

/** What the answer to a request is. */
export interface Answers {
  readonly open: undefined;
  readonly run: readonly Numbers[];
  readonly close: undefined;
  readonly count: number;
}

export type RequestOf<Kind extends Request['kind']> = Request & { readonly kind: Kind };

/** A request under way. `now`: the one who asks waits for the answer without going on; it comes by another port. */
export interface Asked {
  readonly number: number;
  readonly request: Request;
  readonly now: boolean;
}

/** An answer; of errors only the message comes through. */
export type Told =
  | { readonly number: number; readonly answer: Answers[Request['kind']] }
  | { readonly number: number; readonly failure: string };

/** What the thread says once TensorFlow is loaded, or why it isn't. */
export type Hello = { readonly version: string; readonly usesGpu: boolean } | { readonly failure: string };

/**
 * The memory that an answer or a request takes along instead of copying it: that of arrays which have it for themselves.
 * Small buffers of Node share a pool (of 64 KiB since Node 24), which may not be given away.
 */
export function memoryOf(
  arrays: readonly { readonly buffer: ArrayBuffer; readonly byteLength: number }[],
): ArrayBuffer[] {
  return arrays.flatMap(({ buffer, byteLength }) => (byteLength === buffer.byteLength ? [buffer] : []));
}
