import test from 'ava';
import { engineModes, openEngine } from '../../components/engine/open.ts';
import { movable, movesThere } from '../components/support/moving.ts';
import { withTensorflow } from './support/library.ts';

await withTensorflow(() => {
  test('an engine is called as it was asked for: files of what was found so far go by its name', async (t) => {
    for (const name of ['tensorflow', ...engineModes.filter((mode) => mode.startsWith('tensorflow:'))]) {
      const engine = await openEngine({ name });
      t.is(engine.name, name);
      engine.dispose();
    }
  });

  for (const kind of Object.keys(movable) as (keyof typeof movable)[])
    movesThere(kind, { first: 2, second: 4, engine: 'tensorflow', within: 1e-6 });
  movesThere('mim', { first: 2, second: 4, engine: 'tensorflow:xla', within: 1e-6 });
  // Three digits of a product; weights have moved by some hundredths.
  for (const engine of ['tensorflow:bf16', 'tensorflow:xla+bf16'])
    movesThere('mim', { first: 2, second: 4, engine, within: 0.02 });
});
