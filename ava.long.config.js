export default {
  files: ['tests/**/*.long.ts'],
  extensions: { ts: 'module' },
  // tsx registers its loader once a process; worker threads wouldn't have it.
  workerThreads: false,
  nodeArguments: ['--import=tsx', '--conditions=peco-source'],
  timeout: '60m',
  concurrency: 1,
};
