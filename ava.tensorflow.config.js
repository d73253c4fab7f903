import { runFiles } from './tests/support/loader/ava.mjs';

// The engine `tensorflow` on a real library, where one was provisioned. `npm run test:tensorflow`.
export default {
  ...runFiles,
  files: ['tests/tensorflow/**/*.tensorflow.ts'],
  concurrency: 2,
  timeout: '10m',
};
