import type { Engine, EngineOptions } from './types.ts';
import { EngineError } from './types.ts';

const openers: { readonly [name: string]: (threads: number) => Promise<Engine> } = {
  onnx: async (threads) => (await import('./onnx/engine.ts')).openOnnxEngine(threads),
  reference: async () => (await import('./reference/engine.ts')).openReferenceEngine(),
};

/**
 * Opens an engine: `onnx` (default) compiles, `reference` runs eagerly on tfjs's plain CPU backend.
 * `threads` is 1 unless said. Throws EngineError for a name that is no engine or a count that is no positive integer.
 */
export async function openEngine({ name = 'onnx', threads = 1 }: EngineOptions = {}): Promise<Engine> {
  const open = Object.hasOwn(openers, name) ? openers[name] : undefined;
  if (!open) {
    throw new EngineError(`there is no engine '${name}'; choose one of ${Object.keys(openers).join(', ')}`);
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new EngineError(`an engine's threads must be a positive integer, not ${threads}`);
  }
  return open(threads);
}
