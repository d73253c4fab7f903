export default {
  files: ['tests/**/*.long.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx', '--conditions=peco-source'],
  timeout: '60m',
  concurrency: 1,
};
