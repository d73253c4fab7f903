import test from 'ava';
import { measureSpeed } from '../../../components/engine/speed.ts';
import type { Engine } from '../../../components/engine/types.ts';

/** What clocks show here, in milliseconds: only the steps of a fake engine take time. */
let clock = 0;
const { now } = performance;
test.before(() => {
  performance.now = () => clock;
});
test.after.always(() => {
  performance.now = now;
});

/** An engine whose steps take so many milliseconds and compute nothing; notes the shape of each program's input. */
function fakeEngine(milliseconds: number) {
  const shapes: string[] = [];
  const engine = {
    state: () => ({ dispose: () => {} }),
    compile: async ({ batch }: { readonly batch: { readonly x: { readonly shape: readonly number[] } } }) => {
      shapes.push(batch.x.shape.join('x'));
      return {
        run: async () => {
          clock += milliseconds;
        },
        dispose: () => {},
      };
    },
  };
  return { engine: engine as unknown as Engine, shapes };
}

test.serial('an engine is measured with small, middle and large products and convolutions', async (t) => {
  const { engine, shapes } = fakeEngine(1);
  const { dense, conv } = await measureSpeed(engine);
  t.deepEqual(shapes, ['256x64', '512x192', '784x768', '8x16x16x32', '4x32x32x64', '4x56x56x128']);
  for (const speeds of [dense, conv]) {
    t.deepEqual(
      speeds.map(({ image }) => image),
      [2e7, 2e9, 5e10],
    );
    // The same time for more operations.
    t.true(speeds[0]!.perSecond < speeds[2]!.perSecond);
  }
});

test.serial('a slow engine is not asked for larger steps', async (t) => {
  const { engine, shapes } = fakeEngine(450);
  const { dense, conv } = await measureSpeed(engine);
  t.deepEqual([dense.length, conv.length], [1, 1]);
  t.deepEqual(shapes, ['256x64', '8x16x16x32']);
});
