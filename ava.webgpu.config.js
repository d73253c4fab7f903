import { runFiles } from './tests/support/loader/ava.mjs';

// The engine `onnx:webgpu`, where WebGPU finds a device: a graphics card, or one in software. `npm run test:webgpu`.
export default {
  ...runFiles,
  files: ['tests/webgpu/**/*.webgpu.ts'],
  concurrency: 2,
  timeout: '15m',
};
