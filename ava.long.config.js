import { runFiles } from './tests/support/loader/ava.mjs';

// Proofs that take minutes: larger sizes, and PyTorch beside the engine. `npm run test:long`.
export default {
  ...runFiles,
  files: ['tests/long/**/*.long.ts'],
  concurrency: 2,
  timeout: '30m',
};
