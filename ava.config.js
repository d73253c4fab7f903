import os from 'node:os';
import { runFiles } from './tests/support/loader/ava.mjs';
import { writeToOwnFolder } from './tests/support/loader/folder.mjs';
import { slowFirst } from './tests/support/loader/order.mjs';

writeToOwnFolder();

export default {
  ...runFiles,
  files: ['tests/**/*.test.ts'],
  // Tests of the command line wait for processes, and for each other, with a core idle meanwhile.
  concurrency: os.availableParallelism() + 1,
  sortTestFiles: slowFirst,
  timeout: '3m',
};
