import { engine } from '@tensorflow/tfjs-core';

/** A tfjs backend that is ready, and how the engine on it is called. */
export interface EagerBackend {
  /** tfjs's name of it: `cpu`, `wasm`, `tensorflow`. */
  readonly backendName: string;
  readonly engineName: string;
  readonly description: string;
}

/** tfjs's active backend is one for the whole process: uses this one and puts back what was. */
export function onBackend<T>(backendName: string, work: () => T): T {
  const tfjs = engine();
  const before = tfjs.backendName;
  // Choosing a backend that is ready is synchronous, whatever it returns.
  if (before !== backendName) void tfjs.setBackend(backendName);
  try {
    return work();
  } finally {
    if (before && before !== backendName) void tfjs.setBackend(before);
  }
}
