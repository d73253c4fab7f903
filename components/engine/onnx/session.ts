import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { HostTensor } from '../types.ts';

/** Loads a model for repeated runs on the CPU. */
export function createSession(model: Uint8Array, threads: number): Promise<InferenceSession> {
  return InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Errors are thrown; it need not print them too.
    logSeverityLevel: 4,
    extra: {
      session: {
        // Denormals, which softmax tails are full of, make CPU arithmetic 5 to 8 times slower.
        set_denormal_as_zero: '1',
        // Waiting threads that spin take the cores from other processes.
        intra_op: { allow_spinning: '0' },
      },
    },
  });
}

/** Host memory as ONNX Runtime sees it; nothing is copied. */
export function toOrt({ dtype, shape, data }: HostTensor): Tensor {
  if (dtype === 'float32') return new Tensor('float32', data as Float32Array, shape);
  if (dtype === 'int32') return new Tensor('int32', data as Int32Array, shape);
  return new Tensor('bool', data as Uint8Array, shape);
}
