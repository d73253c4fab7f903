export default {
  files: ['tests/**/*.test.ts'],
  extensions: { ts: 'module' },
  // tsx registers its loader once a process; worker threads wouldn't have it.
  workerThreads: false,
  nodeArguments: ['--import=tsx', '--conditions=peco-source'],
  timeout: '3m',
};
