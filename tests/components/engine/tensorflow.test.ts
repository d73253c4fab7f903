import test from 'ava';
import { engineModes, engineNames, openEngine } from '../../../components/engine/open.ts';
import { memoryOf } from '../../../components/engine/tensorflow/messages.ts';
import { engineModes as offered } from '../../../framework/settings/project.ts';
import { messageOf } from './support/small.ts';

// Whatever this machine has: the engine itself is tested by `npm run test:tensorflow`.
process.env.PECO_TENSORFLOW = '/nowhere';

test('without a library tensorflow is refused with the remedy, and auto is onnx', async (t) => {
  const message = await messageOf(t, () => openEngine({ name: 'tensorflow' }));
  t.regex(message, /^the engine 'tensorflow': .*\/nowhere.* Remedy: .*peco-exp provision tensorflow/);
  const modes = engineModes.filter((mode) => mode.startsWith('tensorflow:'));
  t.is(modes.length, 3);
  for (const name of modes) t.is(await messageOf(t, () => openEngine({ name })), message);
  const engine = await openEngine({ name: 'auto' });
  t.is(engine.name, 'onnx');
  engine.dispose();
});

test('two engines have ways to run, and the command line offers them', async (t) => {
  t.deepEqual(offered, engineModes);
  t.is(
    await messageOf(t, () => openEngine({ name: 'onnx:bf16' })),
    `there is no engine 'onnx:bf16'; choose one of ${[...engineNames, 'onnx:webgpu'].join(', ')}`,
  );
  t.is(
    await messageOf(t, () => openEngine({ name: 'tensorflow:fp8' })),
    `there is no engine 'tensorflow:fp8'; choose one of ${[...engineNames, ...engineModes.slice(1)].join(', ')}`,
  );
});

test("memory of Node's pool is not given away with a message: Node 21 and later refuse it", (t) => {
  const own = Float32Array.of(1, 2);
  const pooled = Buffer.from('a step');
  t.true(pooled.buffer.byteLength > pooled.byteLength);
  t.deepEqual(memoryOf([own, pooled as Uint8Array<ArrayBuffer>]), [own.buffer]);
});
