import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { HostTensor } from '../types.ts';
import { EngineError } from '../types.ts';

type Runtime = typeof import('onnxruntime-node');

let runtime: Runtime | undefined;

/** Loads ONNX Runtime: late, so that a machine that has none of its binaries can use the other engines. */
export async function loadRuntime(): Promise<void> {
  try {
    runtime ??= await import('onnxruntime-node');
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new EngineError(
      `onnxruntime-node can't be loaded on ${process.platform} ${process.arch}: ${message}. Install it again (npm install), or choose another engine`,
      { cause: error },
    );
  }
}

/** How sessions compute, on whichever provider. */
export function sessionOptions(threads: number) {
  return {
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // One block planned for all of a step takes a third more memory, and 2 % less time.
    enableMemPattern: false,
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
  } as const satisfies InferenceSession.SessionOptions;
}

/** Loads a model for repeated runs on the CPU. */
export function createSession(model: Uint8Array, threads: number): Promise<InferenceSession> {
  return loaded().InferenceSession.create(model, { executionProviders: ['cpu'], ...sessionOptions(threads) });
}

/** Host memory as ONNX Runtime sees it; nothing is copied but memory shared with other threads, which it refuses. */
export function toOrt({ dtype, shape, data }: HostTensor): Tensor {
  const { Tensor: OrtTensor } = loaded();
  const own = data.buffer instanceof SharedArrayBuffer ? data.slice() : data;
  if (dtype === 'float32') return new OrtTensor('float32', own as Float32Array, shape);
  if (dtype === 'int32') return new OrtTensor('int32', own as Int32Array, shape);
  return new OrtTensor(dtype, own as Uint8Array, shape);
}

function loaded(): Runtime {
  if (!runtime) throw new Error('loadRuntime() comes first');
  return runtime;
}
