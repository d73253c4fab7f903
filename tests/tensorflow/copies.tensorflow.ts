import type { Tensor } from '@tensorflow/tfjs-core';
import test from 'ava';
import { openEngine } from '../../components/engine/open.ts';
import { withTensorflow } from './support/library.ts';

await withTensorflow(() => {
  test('arrays that are changed after they were written or fed change no state, wherever they lie in memory', async (t) => {
    const engine = await openEngine({ name: 'tensorflow' });
    const shape = [16];
    // The addon shares memory that begins at a multiple of 64 bytes: some of these do.
    for (let offset = 0; offset < 16; offset++) {
      const array = () => new Float32Array(new ArrayBuffer(256), offset * 4, 16).fill(1);
      const written = array();
      const state = engine.state<{ last: Tensor }>({ last: { dtype: 'float32', shape, data: array() } });
      const program = await engine.compile<{ last: Tensor }, { x: Tensor }, object>({
        name: 'keep',
        state,
        batch: { x: { shape } },
        step: (_, { x }) => ({ state: { last: x }, out: {} }),
      });
      const fed = array();
      await program.run({ x: { dtype: 'float32', shape, data: fed } });
      fed.fill(2);
      t.is(state.read().last.data[0], 1, `fed, at ${offset * 4}`);
      state.write({ last: { dtype: 'float32', shape, data: written } });
      written.fill(3);
      t.is(state.read().last.data[0], 1, `written, at ${offset * 4}`);
      program.dispose();
      state.dispose();
    }
    engine.dispose();
  });
});
