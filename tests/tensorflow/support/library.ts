import test from 'ava';
import { findTensorflow } from '../../../components/engine/tensorflow/library.ts';

/** Registers the tests where a library is found; says that they are skipped, and why, otherwise. */
export function withTensorflow(register: () => void | Promise<void>): void | Promise<void> {
  const found = findTensorflow(2);
  if ('missing' in found) {
    test(`skipped: ${found.missing} (${found.remedy})`, (t) => t.pass());
    return undefined;
  }
  test(`TensorFlow ${found.version}`, (t) => t.regex(found.version, /^2\./));
  return register();
}
