export default {
  files: ['tests/**/*.test.ts'],
  extensions: { ts: 'module' },
  // A loader is registered once a process; worker threads wouldn't have it.
  workerThreads: false,
  nodeArguments: ['--import=./tests/support/loader/tsx-cached.mjs', '--conditions=peco-source'],
  timeout: '3m',
};
