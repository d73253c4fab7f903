import { runFiles } from './tests/support/loader/ava.mjs';
import { writeToOwnFolder } from './tests/support/loader/folder.mjs';

writeToOwnFolder();

export default {
  ...runFiles,
  files: ['tests/**/*.test.ts'],
  timeout: '3m',
};
