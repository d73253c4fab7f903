import { readFileSync } from 'node:fs';
import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { alternatives, lowerings } from '../../../../components/engine/lower/all.ts';
import { openEngine } from '../../../../components/engine/open.ts';
import { suppressKernel } from '../../../../components/engine/suppress.ts';
import type { EngineError } from '../../../../components/engine/types.ts';
import { uniformKernel } from '../../../../components/engine/uniform.ts';
import { kernelsTable } from './table.ts';

/** tfjs-core has these names, but none of its ops runs them. */
const unused = [
  'BroadcastTo',
  'LogSoftmax',
  'LogicalXor',
  'LowerBound',
  'MatrixBandPart',
  'Pool',
  'UpperBound',
  '__op',
];

/** Every name of a kernel that tfjs-core exports. */
function kernelNames(): string[] {
  const values = Object.values(tf).filter((value): value is never => typeof value === 'string');
  return [...new Set(values as string[])].filter((name) => /^[A-Z_]\w+$/.test(name));
}

test('all kernels of tfjs, and those of the engine, are compiled or refused with an alternative', (t) => {
  t.deepEqual(
    [...kernelNames(), uniformKernel, suppressKernel].sort(),
    [...Object.keys(lowerings), ...Object.keys(alternatives), ...unused].sort(),
  );
});

test('a refused kernel is named, with its place in the function and an alternative', async (t) => {
  const engine = await openEngine({ name: 'onnx' });
  const messages: string[] = [];
  for (const kernel of [...Object.keys(alternatives), 'Invented']) {
    const compiled = engine.compile<object, { x: Tensor }, { y: Tensor }>({
      name: 'train',
      state: engine.state<object>({}),
      batch: { x: { shape: [2, 3] } },
      step: (state, { x }) => ({
        state,
        out: { y: tf.engine().runKernel(kernel, { x } as NamedTensorMap, {}) as Tensor },
      }),
    });
    const error = await t.throwsAsync<EngineError>(compiled);
    messages.push(error.message.replace(/:\d+\)$/, ':LINE)'));
  }
  engine.dispose();
  t.snapshot(messages);
});

test('the committed list of kernels is current', (t) => {
  const file = new URL('../../../../components/engine/KERNELS.md', import.meta.url);
  t.is(readFileSync(file, 'utf8'), kernelsTable());
});
