import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import test from 'ava';
import { findPackage } from '../../../components/engine/eager/packages.ts';
import { openEngine } from '../../../components/engine/open.ts';
import { compile, identity, zeros } from './support/small.ts';

test.serial('while wasm starts, other engines of the process work, and it does so once', async (t) => {
  const listeners = () => [
    process.listenerCount('uncaughtException'),
    process.listenerCount('unhandledRejection'),
  ];
  const before = listeners();
  const opening = [openEngine({ name: 'wasm' }), openEngine({ name: 'wasm' })];
  const ran: string[] = [];
  for (const name of ['onnx', 'reference'] as const) {
    const program = await compile(identity, name);
    ran.push(`${name} ${(await program.run({ x: zeros(3, 2) })).y.shape}`);
  }
  const engines = await Promise.all(opening);
  t.deepEqual(ran, ['onnx 3,2', 'reference 3,2']);
  t.deepEqual(listeners(), before, 'its module would catch errors of the whole process');
  t.is(engines[0]!.description, engines[1]!.description);
  t.regex(
    engines[0]!.description,
    /^wasm \(tfjs-backend-wasm \d+\.\d+\.\d+, SIMD, 1 thread, no training of .*\)$/,
  );
});

test.serial('a disposed wasm engine leaves the backend to others', async (t) => {
  const engine = await openEngine({ name: 'wasm' });
  engine.dispose();
  const program = await compile(identity, 'wasm');
  const x = { ...zeros(3, 2), data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  t.deepEqual([...(await program.run({ x })).y.data], [1, 2, 3, 4, 5, 6]);
});

test.serial('steps of two backends in one process do not mix', async (t) => {
  const active = tf.getBackend();
  const outputs: number[][] = [];
  for (const name of ['wasm', 'reference', 'wasm', 'onnx', 'wasm']) {
    const engine = await openEngine({ name });
    const own = tf.tensor1d([1, 10]);
    const program = await engine.compile<object, { x: Tensor }, { y: Tensor }>({
      name: 'uses a tensor of the active backend',
      state: engine.state<object>({}),
      batch: { x: { shape: [2] } },
      step: (state, { x }) => ({ state, out: { y: tf.mul(x, own) } }),
    });
    const { y } = await program.run({ x: { ...zeros(2), data: Float32Array.of(2, 3) } });
    outputs.push([...y.data]);
    t.deepEqual([...own.dataSync()], [1, 10]);
    own.dispose();
    engine.dispose();
  }
  t.deepEqual(outputs, Array(5).fill([2, 30]));
  t.is(tf.getBackend(), active);
});

test('a package that is not installed is not found, one that is tells its version and folder', (t) => {
  t.is(findPackage('@tensorflow/tfjs-none'), undefined);
  const found = findPackage('@tensorflow/tfjs-backend-wasm')!;
  t.regex(found.version, /^4\./);
  t.true(found.file.startsWith(found.dir));
});
