export default {
  files: ['tests/**/*.test.ts'],
  extensions: { ts: 'module' },
  // A loader is registered once a process; worker threads wouldn't have it.
  workerThreads: false,
  nodeArguments: [
    `--import=${new URL('./tests/support/loader/tsx-cached.mjs', import.meta.url)}`,
    '--conditions=peco-source',
  ],
  timeout: '3m',
};
