import { createRequire } from 'node:module';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { HostTensor } from '../../types.ts';
import { EngineError } from '../../types.ts';
import { sessionOptions, toOrt } from '../session.ts';
import { explainRefusal } from './errors.ts';

/** A tensor that ONNX Runtime takes or gives: in the host's memory, or in a buffer of the device. */
export type Value = Tensor;

/** The addon below onnxruntime-node's own functions, which are asynchronous: `State.read` can't wait. */
interface Binding {
  listSupportedBackends(): readonly { readonly name: string }[];
  readonly InferenceSession: new () => NativeSession;
}

interface NativeSession {
  loadModel(
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
    options: InferenceSession.SessionOptions,
  ): void;
  run(
    feeds: { readonly [name: string]: Value },
    fetches: { readonly [name: string]: null },
    options: object,
  ): { readonly [name: string]: Value };
  endProfiling(): void;
  dispose(): void;
}

interface BindingFile {
  readonly binding: Binding;
  initOrt(): void;
}

let loaded: Binding | undefined;

/** Throws EngineError where onnxruntime-node has no such file, a library that can't be loaded, or one without WebGPU. */
function loadBinding(): Binding {
  loaded ??= requireBinding();
  if (loaded.listSupportedBackends().some(({ name }) => name === 'webgpu')) return loaded;
  throw new EngineError(
    `the engine 'onnx:webgpu': onnxruntime-node has no WebGPU on ${process.platform} ${process.arch}. Remedy: choose another engine (--engine onnx)`,
  );
}

function requireBinding(): Binding {
  try {
    const { binding, initOrt } = createRequire(import.meta.url)(
      'onnxruntime-node/dist/binding.js',
    ) as BindingFile;
    initOrt();
    return binding;
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new EngineError(
      `the engine 'onnx:webgpu': this onnxruntime-node has not what it needs: ${message}. Remedy: install version 1.30, or --engine onnx`,
      { cause: error },
    );
  }
}

export interface SessionOptions {
  readonly threads: number;
  /** Names of the outputs that stay on the device; the others go to the host. */
  readonly resident: readonly string[];
  readonly outputs: readonly string[];
  /** Prefix of a file that tells where each operator ran. */
  readonly profile?: string;
}

/** A model that ONNX Runtime runs on the device, operators that the device has not on the CPU. Runs are synchronous. */
export class Session {
  private readonly native: NativeSession;
  private readonly fetches: { readonly [name: string]: null };

  /** Throws EngineError where there is no device; what else ONNX Runtime says about the model as it is. */
  constructor(model: Uint8Array, { threads, resident, outputs, profile }: SessionOptions) {
    const binding = loadBinding();
    this.fetches = Object.fromEntries(outputs.map((name) => [name, null]));
    this.native = new binding.InferenceSession();
    try {
      this.native.loadModel(model.buffer, model.byteOffset, model.byteLength, {
        executionProviders: ['webgpu', 'cpu'],
        preferredOutputLocation: Object.fromEntries(
          outputs.map((name) => [name, resident.includes(name) ? 'gpu-buffer' : 'cpu']),
        ),
        ...sessionOptions(threads),
        ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
      });
    } catch (error) {
      throw explainRefusal(error);
    }
  }

  run(feeds: { readonly [name: string]: Value }): { readonly [name: string]: Value } {
    return this.native.run(feeds, this.fetches, {});
  }

  /** Writes the profile. */
  endProfiling(): void {
    this.native.endProfiling();
  }

  dispose(): void {
    this.native.dispose();
  }
}

/** The host's memory, as ONNX Runtime takes it. */
export function toDevice(value: HostTensor): Value {
  return toOrt(value);
}

/** What an output that went to the host holds. */
export function fromHost(value: Value, { dtype, shape }: Pick<HostTensor, 'dtype' | 'shape'>): HostTensor {
  return { dtype, shape: [...shape], data: value.data as HostTensor['data'] } as HostTensor;
}
