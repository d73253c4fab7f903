import type { TensorflowSettings } from './tensorflow/engine.ts';
import type { Engine, EngineOptions } from './types.ts';
import { EngineError } from './types.ts';

const openers: { readonly [name: string]: (threads: number, mode: string) => Promise<Engine> } = {
  onnx: async (threads, mode) =>
    mode === 'webgpu'
      ? (await import('./onnx/webgpu/engine.ts')).openWebgpuEngine(threads)
      : (await import('./onnx/engine.ts')).openOnnxEngine(threads),
  reference: async () => (await import('./eager/reference.ts')).openReferenceEngine(),
  wasm: async () => (await import('./eager/wasm.ts')).openWasmEngine(),
  tensorflow: async (threads, mode) =>
    (await import('./tensorflow/open.ts')).openTensorflow(threads, tensorflowModes[mode]),
  auto: async (threads) => (await import('./auto.ts')).openAutoEngine(threads),
};

export const engineNames: readonly string[] = Object.keys(openers);

/** What may follow `tensorflow:`. */
const tensorflowModes: { readonly [name: string]: TensorflowSettings } = {
  xla: { mode: 'xla' },
  bf16: { precision: 'bf16' },
  'xla+bf16': { mode: 'xla', precision: 'bf16' },
};

/**
 * Ways of two engines, as names: `onnx` on the device that WebGPU finds; `tensorflow` compiled by XLA, with products in bfloat16,
 * or both.
 */
export const engineModes: readonly string[] = [
  'onnx:webgpu',
  ...Object.keys(tensorflowModes).map((mode) => `tensorflow:${mode}`),
];

/**
 * Opens an engine.
 * - `onnx` (default) compiles, and needs nothing that isn't installed with this package. `onnx:webgpu` computes on the
 *   graphics card, or whatever else WebGPU finds.
 * - `reference` runs eagerly on tfjs's plain JavaScript backend: slow, the truth that others are compared with.
 * - `wasm` runs eagerly on tfjs's WebAssembly backend; needs `@tensorflow/tfjs-backend-wasm`.
 * - `tensorflow` compiles for TensorFlow's library, which `peco-exp provision tensorflow` fetches.
 *   `tensorflow:xla` lets XLA compile each step as a whole, `tensorflow:bf16` multiplies in bfloat16, `tensorflow:xla+bf16`
 *   does both.
 * - `auto` is `tensorflow` where that is and trains a small step, otherwise `onnx`.
 *
 * `threads` is 1 unless said; `reference` and `wasm` have one.
 * Throws EngineError for a name that is no engine, a count that is no positive integer, and for an engine that can't
 * be had on this machine, with the remedy.
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const { name = 'onnx', threads = 1 } = options;
  const [base = '', mode = ''] = name.split(':');
  const known = base === name || engineModes.includes(name);
  const open = known && Object.hasOwn(openers, base) ? openers[base] : undefined;
  if (!open) {
    const ways = engineModes.filter((mode) => mode.startsWith(`${base}:`));
    throw new EngineError(
      `there is no engine '${name}'; choose one of ${[...engineNames, ...ways].join(', ')}`,
    );
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new EngineError(`an engine's threads must be a positive integer, not ${threads}`);
  }
  const engine = await open(threads, mode);
  options.onOpen?.(engine.description);
  return engine;
}
