import test from 'ava';
import { findTensorflow } from '../../../components/engine/tensorflow/library.ts';

/** Registers the tests where a library is found; says that they are skipped, and why, otherwise. */
export async function withTensorflow(register: () => void | Promise<void>): Promise<void> {
  const found = await findTensorflow(2);
  if ('missing' in found) {
    test(`skipped: ${found.missing} (${found.remedy})`, (t) => t.pass());
    return;
  }
  const { version } = found.thread;
  test(`TensorFlow ${version}`, (t) => t.regex(version, /^2\./));
  await register();
}
