import { sizeOf } from '../graph/value.ts';
import type { HostTensor, TensorSpec } from '../types.ts';
import { GraphBuilder } from './builder.ts';
import { handle } from './compile.ts';
import { attribute, encodeGraph, encodeSavedModel, typeNumbers } from './graph-def.ts';
import type { Feed, Numbers, RequestOf } from './messages.ts';
import type { TensorflowThread } from './thread.ts';

/** A variable of a session, as its nodes name it. */
export interface Variable {
  readonly name: string;
  readonly spec: Required<TensorSpec>;
}

/** What a session consists of. */
export interface SessionParts {
  readonly state: readonly Variable[];
  /** The programs, as bytes. */
  readonly programs: readonly Uint8Array[];
  /** Variables whose handles are in the programs. */
  readonly constants: readonly Variable[];
}

/** Variables are written and read together up to this many bytes, so that copies of them are few. */
const mostBytesAtOnce = 2 ** 27;

let opened = 0;

/** One graph in TensorFlow's memory, with the variables that its programs share. */
export class Session {
  private readonly thread: TensorflowThread;
  private readonly groups: readonly (readonly Variable[])[];
  private readonly number = opened++;

  private constructor(thread: TensorflowThread, groups: readonly (readonly Variable[])[]) {
    this.thread = thread;
    this.groups = groups;
  }

  /** Rejects with what TensorFlow says about the graph. */
  static async open(
    thread: TensorflowThread,
    { state, programs, constants }: SessionParts,
  ): Promise<Session> {
    const session = new Session(thread, grouped([...state, ...constants]));
    const model = encodeSavedModel([session.variableNodes(new Set(state)), ...programs]).slice();
    await thread.ask({ kind: 'open', session: session.number, model });
    return session;
  }

  /** Gives all variables these values. */
  async write(valueFor: (name: string) => HostTensor): Promise<void> {
    for (const index of this.groups.keys()) await this.thread.ask(this.writing(index, valueFor));
  }

  /** The same, in which the process waits. */
  writeNow(valueFor: (name: string) => HostTensor): void {
    for (const index of this.groups.keys()) this.thread.askNow(this.writing(index, valueFor));
  }

  async read(): Promise<Map<string, HostTensor>> {
    const found = new Map<string, HostTensor>();
    for (const group of this.groups) keep(found, group, await this.thread.ask(this.reading(group)));
    return found;
  }

  /** The same, in which the process waits. */
  readNow(): Map<string, HostTensor> {
    const found = new Map<string, HostTensor>();
    for (const group of this.groups) keep(found, group, this.thread.askNow(this.reading(group)));
    return found;
  }

  /** Computes the outputs, names of nodes. Rejects with what TensorFlow says. */
  run(
    feeds: readonly { readonly name: string; readonly value: HostTensor }[],
    outputs: readonly string[],
  ): Promise<readonly Numbers[]> {
    return this.thread.ask(this.running(feeds, outputs));
  }

  close(): void {
    // Where the thread has ended, there is nothing to close.
    this.thread.ask({ kind: 'close', session: this.number }).catch(() => undefined);
  }

  private writing(index: number, valueFor: (name: string) => HostTensor): RequestOf<'run'> {
    const feeds = this.groups[index]!.map(({ name }) => ({ name: `${name}/new`, value: valueFor(name) }));
    return this.running(feeds, [`written_${index}`]);
  }

  private reading(group: readonly Variable[]): RequestOf<'run'> {
    const outputs = group.map(({ name }) => `${name}/read`);
    return this.running([], outputs);
  }

  private running(
    feeds: readonly { readonly name: string; readonly value: HostTensor }[],
    outputs: readonly string[],
  ): RequestOf<'run'> {
    const given = feeds.map(({ name, value }) => ({ name, ...copied(value) }));
    return { kind: 'run', session: this.number, feeds: given, outputs };
  }

  private variableNodes(own: ReadonlySet<Variable>): Uint8Array {
    const b = new GraphBuilder('variables/', false);
    for (const [index, group] of this.groups.entries()) {
      const writes: string[] = [];
      for (const variable of group) {
        const { name, spec } = variable;
        const type = spec.dtype;
        const ref = own.has(variable)
          ? handle(b, name, spec)
          : { text: name, type: 'resource' as const, shape: [] };
        b.add(
          'ReadVariableOp',
          [ref],
          spec.shape,
          { dtype: attribute.type(type) },
          { type, name: `${name}/read` },
        );
        const attributes = { shape: attribute.shape(spec.shape) };
        const value = b.add('Placeholder', [], spec.shape, attributes, { type, name: `${name}/new` });
        b.addAll('AssignVariableOp', [ref, value], [], {}, { name: `${name}/write` });
        writes.push(`${name}/write`);
      }
      const value = attribute.splat('int32', [], 1);
      b.add('Const', [], [], { value }, { type: 'int32', name: `written_${index}`, after: writes });
    }
    return encodeGraph(b.nodes);
  }
}

function grouped(variables: readonly Variable[]): Variable[][] {
  const groups: Variable[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const variable of variables) {
    const size = sizeOf(variable.spec.shape) * 4;
    if (bytes + size > mostBytesAtOnce) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(variable);
    bytes += size;
  }
  return groups;
}

function keep(found: Map<string, HostTensor>, group: readonly Variable[], values: readonly Numbers[]): void {
  for (const [index, { name, spec }] of group.entries())
    found.set(name, { dtype: spec.dtype, shape: [...spec.shape], data: values[index]! });
}

/** TensorFlow shares the memory of arrays that begin at a multiple of this many bytes, and copies others. */
const alignment = 64;

/**
 * A copy that goes to the thread, bytes packed in int32. It lies so that TensorFlow copies it in its turn: memory that it
 * shared would stay in variables, and be given back to Node.js by a thread of TensorFlow.
 */
function copied({ dtype, shape, data }: HostTensor): Omit<Feed, 'name'> {
  const bytes = Math.ceil(data.byteLength / 4) * 4;
  const memory = new ArrayBuffer(bytes + alignment);
  // Memory begins at a multiple of 8.
  const start = 4;
  new Uint8Array(memory, start).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const type = typeNumbers[dtype === 'uint8' ? 'int32' : dtype];
  if (dtype === 'float32') return { type, shape, data: new Float32Array(memory, start, data.length) };
  if (dtype === 'uint8') return { type, shape: [bytes / 4], data: new Int32Array(memory, start, bytes / 4) };
  return { type, shape, data: new (dtype === 'int32' ? Int32Array : Uint8Array)(memory, start, data.length) };
}
