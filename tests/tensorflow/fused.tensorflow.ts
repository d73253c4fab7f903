import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { train } from '../components/engine/steps/support/train.ts';
import { withTensorflow } from './support/library.ts';
import { wideTraining } from './support/wide.ts';
import { warningsWithoutXla } from './support/xla.ts';

await withTensorflow(() => {
  test('what XLA computes element by element is what reference computes, and no warning says that it refused', async (t) => {
    const warnings = warningsWithoutXla();
    const training = wideTraining(256);
    const [expected, found] = await Promise.all(
      ['reference', 'tensorflow'].map((name) => train({ name }, training as never, [training.steps])),
    );
    await setImmediate();
    t.deepEqual(warnings, []);
    for (const [name, values] of Object.entries(expected!.out))
      for (const [step, value] of values.entries()) {
        const difference = Math.abs(found!.out[name]![step]! - value);
        t.true(difference <= 1e-5 * Math.abs(value), `${name}, step ${step}: ${difference} of ${value}`);
      }
    for (const [path, { data }] of Object.entries(expected!.after[training.steps]!)) {
      const other = found!.after[training.steps]![path]!.data;
      let [most, off] = [0, 0];
      for (const [index, value] of data.entries()) {
        most = Math.max(most, Math.abs(value));
        off = Math.max(off, Math.abs(value - other[index]!));
      }
      t.true(off <= 1e-5 * most, `${path}: ${off} of ${most}`);
    }
  });
});
