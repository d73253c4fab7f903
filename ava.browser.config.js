import { runFiles } from './tests/support/loader/ava.mjs';

// The page of reports in a real browser, where there is one. `npm run test:browser`.
export default {
  ...runFiles,
  files: ['tests/browser/**/*.browser.ts'],
  concurrency: 1,
  timeout: '5m',
};
