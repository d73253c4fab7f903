// The page of reports in a real browser, where there is one. `npm run test:browser`.
export default {
  files: ['tests/browser/**/*.browser.ts'],
  extensions: { ts: 'module' },
  workerThreads: false,
  nodeArguments: [
    `--import=${new URL('./tests/support/loader/tsx-cached.mjs', import.meta.url)}`,
    '--conditions=peco-source',
  ],
  concurrency: 1,
  timeout: '5m',
};
