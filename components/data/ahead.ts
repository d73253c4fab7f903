/** Things of numbered steps that are made before they are asked for. */
export interface Ahead<T> {
  /** That of a step; the ones after it are made meanwhile. Rejects as making it does. */
  get(step: number): Promise<T>;
  /** Stops what is being made, and waits until it has stopped. */
  close(): Promise<void>;
}

export interface AheadOptions {
  /** How many are made ahead of the one that was asked for last. */
  readonly ahead: number;
  /** The first step that is not made ahead of another. */
  readonly end?: number;
  /**
   * Whether making says when it has handed out what others do. Then `get` waits for that of the step after it: its caller may keep
   * this thread busy, which then reads nothing.
   */
  readonly handsOut?: boolean;
}

/** Makes what belongs to a step. `handedOut` is called once this thread has nothing more to do for it than to wait. */
export type Make<T> = (step: number, signal: AbortSignal, handedOut: () => void) => Promise<T>;

/**
 * Makes things one after the other, in the order of their steps. Asked for a step that isn't the next one, it drops what
 * it has and begins there.
 *
 * @param make a pure function of the step; it should stop soon once the signal is aborted
 */
export function openAhead<T>(
  make: Make<T>,
  { ahead, end = Number.POSITIVE_INFINITY, handsOut = false }: AheadOptions,
): Ahead<T> {
  let stop = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  const made = new Map<number, Promise<T>>();
  const handed = new Map<number, Promise<unknown>>();

  function start(step: number): void {
    const { signal } = stop;
    let one!: Promise<T>;
    const handedOut = new Promise<void>((resolve) => {
      one = last.then(() => {
        signal.throwIfAborted();
        return make(step, signal, resolve);
      });
    });
    // A failure rejects the call that asks for this batch, if one does.
    last = one.catch(() => {});
    made.set(step, one);
    if (handsOut) handed.set(step, Promise.race([handedOut, last]));
  }

  function drop(reason: string): void {
    stop.abort(new Error(reason));
    made.clear();
    handed.clear();
  }

  return {
    async get(step) {
      if (!made.has(step)) {
        drop('another step was asked for');
        stop = new AbortController();
      }
      for (let next = step; next === step || (next <= step + ahead && next < end); next++)
        if (!made.has(next)) start(next);
      const wanted = made.get(step)!;
      made.delete(step);
      handed.delete(step);
      await wanted;
      await handed.get(step + 1);
      // The next one is begun before the caller goes on, who may keep this thread busy.
      await new Promise((resolve) => setImmediate(resolve));
      return wanted;
    },
    async close() {
      drop('it was closed');
      await last;
    },
  };
}

/** Calls `work` for 0 to count - 1, so many at once. Rejects with the first failure once all that runs has ended. */
export async function inLanes(
  count: number,
  lanes: number,
  work: (place: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const lane = async () => {
    while (next < count && !failure) {
      try {
        await work(next++);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
  if (failure) throw failure.error;
}

/** Calls what it is given, at most so many at once, first come first served; resolves and rejects as that does. */
export function takingTurns(many: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = many;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
