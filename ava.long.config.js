// Proofs that take minutes: larger sizes, and PyTorch beside the engine. `npm run test:long`.
export default {
  files: ['tests/long/**/*.long.ts'],
  extensions: { ts: 'module' },
  workerThreads: false,
  nodeArguments: [
    `--import=${new URL('./tests/support/loader/tsx-cached.mjs', import.meta.url)}`,
    '--conditions=peco-source',
  ],
  concurrency: 2,
  timeout: '30m',
};
