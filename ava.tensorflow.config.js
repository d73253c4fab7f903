// The engine `tensorflow` on a real library, where one was provisioned. `npm run test:tensorflow`.
export default {
  files: ['tests/tensorflow/**/*.tensorflow.ts'],
  extensions: { ts: 'module' },
  workerThreads: false,
  nodeArguments: [
    `--import=${new URL('./tests/support/loader/tsx-cached.mjs', import.meta.url)}`,
    '--conditions=peco-source',
  ],
  concurrency: 2,
  timeout: '5m',
};
