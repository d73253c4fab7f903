import { compiled } from './compiled.ts';

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part that is used here; Node's types leave it out. */
interface WebAssembly {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

/** What assembly/ exports. Addresses and lengths are bytes; `first`, `count` and `weights` are those of resample.ts. */
interface Kernels {
  readonly memory: Memory;
  rowsOfColours: Rows;
  rowsOfGreys: Rows;
  columns(
    source: number,
    length: number,
    out: number,
    height: number,
    first: number,
    count: number,
    weights: number,
    most: number,
  ): void;
  blend(
    source: number,
    stride: number,
    height: number,
    width: number,
    out: number,
    steps: number,
    count: number,
  ): number;
  distort(source: number, pixels: number, out: number, steps: number, count: number): void;
}

type Rows = (
  source: number,
  stride: number,
  height: number,
  out: number,
  width: number,
  first: number,
  count: number,
  weights: number,
  most: number,
) => void;

const PAGE = 2 ** 16;
/** Kernels read and write whole vectors: so many bytes past the end of what they work on may be touched. */
const SLACK = 16;
/** A memory never shrinks: one that grew beyond this for an image is given up after it. */
const LARGE = 2 ** 26;

let kept: Kernels | undefined;
let isInUse = false;

function openKernels(): Kernels {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssembly }).WebAssembly;
  return new Instance(new Module(Buffer.from(compiled, 'base64'))).exports as Kernels;
}

/** The memory of the kernels while something is computed: what was taken is free again for the next. */
export class Workspace {
  readonly kernels: Kernels;
  private end = 0;

  private constructor(kernels: Kernels) {
    this.kernels = kernels;
  }

  /** `work` is synchronous and uses no other workspace: both would write to one place. */
  static use<T>(work: (workspace: Workspace) => T): T {
    if (isInUse) throw new Error('a workspace inside another one');
    isInUse = true;
    kept ??= openKernels();
    try {
      return work(new Workspace(kept));
    } finally {
      isInUse = false;
      if (kept.memory.buffer.byteLength > LARGE) kept = undefined;
    }
  }

  /** The address of so many bytes of any content. */
  take(bytes: number): number {
    const { memory } = this.kernels;
    const address = this.end;
    this.end = Math.ceil((address + bytes + SLACK) / SLACK) * SLACK;
    const missing = this.end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return address;
  }

  /** The address of a copy. */
  put(values: Uint8Array | Int32Array): number {
    const address = this.take(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.kernels.memory.buffer).set(bytes, address);
    return address;
  }

  /** A copy of what is there. */
  get(address: number, length: number): Uint8Array {
    return new Uint8Array(this.kernels.memory.buffer, address, length).slice();
  }
}
