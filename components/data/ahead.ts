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
}

/**
 * Makes things one after the other, in the order of their steps. Asked for a step that isn't the next one, it drops what
 * it has and begins there.
 *
 * @param make a pure function of the step; it should stop soon once the signal is aborted
 */
export function openAhead<T>(
  make: (step: number, signal: AbortSignal) => Promise<T>,
  { ahead, end = Number.POSITIVE_INFINITY }: AheadOptions,
): Ahead<T> {
  let stop = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  const made = new Map<number, Promise<T>>();

  function start(step: number): void {
    const { signal } = stop;
    const one = last.then(() => {
      signal.throwIfAborted();
      return make(step, signal);
    });
    // A failure rejects the call that asks for this batch, if one does.
    last = one.catch(() => {});
    made.set(step, one);
  }

  function drop(reason: string): void {
    stop.abort(new Error(reason));
    made.clear();
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
      await wanted;
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
