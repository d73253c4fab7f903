// The engine `onnx:webgpu`, where WebGPU finds a device: a graphics card, or one in software. `npm run test:webgpu`.
export default {
  files: ['tests/webgpu/**/*.webgpu.ts'],
  extensions: { ts: 'module' },
  workerThreads: false,
  nodeArguments: [
    `--import=${new URL('./tests/support/loader/tsx-cached.mjs', import.meta.url)}`,
    '--conditions=peco-source',
  ],
  concurrency: 2,
  timeout: '5m',
};
