import { runFiles } from './tests/support/loader/ava.mjs';
import { writeToMemory } from './tests/support/loader/memory.mjs';

writeToMemory();

export default {
  ...runFiles,
  files: ['tests/**/*.test.ts'],
  timeout: '3m',
};
