import test from 'ava';
import { agreesOn } from '../components/engine/kernels/agrees-on.ts';
import { onXla, refusedByXla } from '../components/engine/kernels/on-tensorflow.ts';
import { withTensorflow } from './support/library.ts';
import { warningsWithoutXla } from './support/xla.ts';

await withTensorflow(() => {
  const warnings = warningsWithoutXla();
  agreesOn('tensorflow:xla', { notFinite: onXla, refused: refusedByXla });
  test.after('XLA compiled all of them', (t) => t.deepEqual(warnings, []));
});
