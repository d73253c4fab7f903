import type { Target } from '../graph/graph.ts';

/** TensorFlow needs none of ONNX Runtime's detours, and has operators of its own (`lower/`). */
export const tensorflowTarget: Target = {
  losesDigits: false,
  variesWithThreads: false,
  isTensorflow: true,
  rewrites: {},
};
