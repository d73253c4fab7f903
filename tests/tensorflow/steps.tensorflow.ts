import test from 'ava';
import { proveAll } from '../components/engine/steps/support/prove-all.ts';
import { withTensorflow } from './support/library.ts';
import { warningsWithoutXla } from './support/xla.ts';

await withTensorflow(() => {
  const warnings = warningsWithoutXla();
  proveAll('tensorflow', 'tensorflow:xla');
  test.after('XLA compiles every training', (t) => t.deepEqual(warnings, []));
});
