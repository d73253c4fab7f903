import type { BackendValues, DataId, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { engine, getKernel, KernelBackend, registerKernel } from '@tensorflow/tfjs-core';
import type { Target } from '../graph/graph.ts';
import { Graph, onnxTarget } from '../graph/graph.ts';
import type { ElementType, Value } from '../graph/value.ts';
import { isForeign, sizeOf } from '../graph/value.ts';
import { lowerings } from '../lower/all.ts';
import type { Lowerings } from '../lower/lowering.ts';
import '../gradients/register.ts';
import { EngineError } from '../types.ts';

/** tfjs backend whose kernels record into a graph instead of computing. It exists while a function is traced. */
export const traceBackendName = 'peco-trace';

/** tfjs's kernels and gradients think that its tensors have values; they only stand for values of the graph. */
export class TraceBackend extends KernelBackend {
  readonly graph: Graph;
  readonly lowerings: Lowerings;
  private readonly values = new Map<object, Value>();

  /** `own`: lowerings that come before those of `lower/all.ts`. */
  constructor(target: Target = onnxTarget, own: Lowerings = {}) {
    super();
    this.graph = new Graph(target);
    this.lowerings = { ...lowerings, ...own };
  }

  /** A tensor of the graph as tfjs wants it. */
  tensorInfo(value: Value): TensorInfo {
    if (isForeign(value.type)) throw new EngineError(`a value of type ${value.type} left its kernel`);
    const dataId = {};
    this.values.set(dataId, value);
    return { dataId, shape: [...value.shape], dtype: value.type };
  }

  /** The value of a tensor. One that was made before tracing, on another backend, becomes a constant. */
  valueFor({ dataId, shape, dtype }: TensorInfo): Value {
    const known = this.values.get(dataId);
    if (known) return known;
    const data = engine().readSync(dataId);
    return this.constant(data as ArrayLike<number>, shape, dtype);
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    return this.tensorInfo(this.constant(values as ArrayLike<number>, shape, dtype)).dataId;
  }

  override readSync(dataId: object): Float32Array | Int32Array | Uint8Array {
    const value = this.values.get(dataId);
    const source = value?.source;
    if (
      source?.kind === 'constant' &&
      !(source.data instanceof BigInt64Array) &&
      !(source.data instanceof BigUint64Array)
    )
      return source.data;
    if (value && source?.kind === 'splat')
      return toTyped(value.type, Array(sizeOf(value.shape)).fill(source.value));
    const maker = source?.kind === 'node' ? `the result of ${source.node.op}` : 'an input';
    throw new EngineError(
      `it reads the values of a tensor (${maker}, shape [${value?.shape.join(', ')}]) while it is compiled. ` +
        'Values exist only when the program runs: express it in ops (tf.where, masks), or put the tensor out',
    );
  }

  override async read(dataId: object): Promise<Float32Array | Int32Array | Uint8Array> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: object): boolean {
    this.values.delete(dataId);
    return true;
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  override numDataIds(): number {
    return this.values.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {
    this.values.clear();
  }

  private constant(values: ArrayLike<number>, shape: readonly number[], dtype: DataType): Value {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
      throw new EngineError(`it uses a tensor of type ${dtype}; float32, int32 and bool can be compiled`);
    }
    return this.graph.constant(toTyped(dtype, values), dtype, shape);
  }
}

/** A copy, since the caller may reuse its array. */
function toTyped(type: ElementType, values: ArrayLike<number>): Float32Array | Int32Array | Uint8Array {
  if (type === 'float32') return Float32Array.from(values);
  return type === 'int32' ? Int32Array.from(values) : Uint8Array.from(values);
}

/** tfjs keeps kernels by the name of the backend, so once is enough (also where a process loads two bundles of this). */
function registerLowerings(): void {
  for (const kernelName of Object.keys(lowerings)) {
    if (getKernel(kernelName, traceBackendName) !== undefined) continue;
    registerKernel({
      kernelName,
      backendName: traceBackendName,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const trace = backend as TraceBackend;
        const given = Object.entries(inputs).filter(([, info]) => info !== null && info !== undefined);
        const values = Object.fromEntries(
          given.map(([name, info]) => [name, trace.valueFor(info as TensorInfo)]),
        );
        const result = trace.lowerings[kernelName]!(trace.graph, values, attrs ?? {});
        return isList(result) ? result.map((value) => trace.tensorInfo(value)) : trace.tensorInfo(result);
      },
    });
  }
}

function isList(result: Value | readonly Value[]): result is readonly Value[] {
  return Array.isArray(result);
}

registerLowerings();
