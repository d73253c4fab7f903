import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ExecutionContext } from 'ava';
import { openEngine } from '../../../../components/engine/open.ts';
import type { HostTensor, Step } from '../../../../components/engine/types.ts';
import { EngineError } from '../../../../components/engine/types.ts';

export type W = { readonly w: Tensor };
export type X = { readonly x: Tensor };
export type SmallStep = Step<W, X, { y: Tensor }, Record<string, never>>;

/** Engines that run wherever the tests run. */
export const engineNames = ['onnx', 'reference', 'wasm'] as const;

export const zeros = (...shape: number[]): HostTensor => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});
/** The message of the EngineError that `work` throws; line numbers would change with every edit. */
export async function messageOf(t: ExecutionContext, work: () => unknown): Promise<string> {
  const error = await t.throwsAsync(async () => work(), { instanceOf: EngineError });
  return error.message.replace(/:\d+\)$/, ':LINE)');
}

/** A program on a state `w` of two numbers and batches `x` of shape [3, 2]. */
export function compile(step: SmallStep, engineName = 'onnx') {
  return openEngine({ name: engineName }).then((engine) =>
    engine.compile<W, X, { y: Tensor }>({
      name: 'train',
      step,
      state: engine.state<W>({ w: zeros(2) }),
      batch: { x: { shape: [3, 2] } },
    }),
  );
}

/** Compiles and, since eager engines only then call the step, runs. */
export async function compileAndRun(step: SmallStep, engineName: string) {
  const program = await compile(step, engineName);
  return program.run({ x: zeros(3, 2) });
}

export const identity = (state: W, { x }: X) => ({ state, out: { y: tf.add(x, state.w) } });
