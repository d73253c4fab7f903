import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { allocate } from '../check.ts';
import { sizeOf } from '../graph/value.ts';
import type { HostTensor, TensorSpec } from '../types.ts';
import { GraphBuilder } from './builder.ts';
import { handle } from './compile.ts';
import { attribute, encodeGraph, encodeSavedModel, servingTag, typeNumbers } from './graph-def.ts';
import type { TensorflowBinding } from './library.ts';

/** A variable of a session, as its nodes name it. */
export interface Variable {
  readonly name: string;
  readonly spec: Required<TensorSpec>;
}

/** Variables are written and read together up to this many bytes, so that copies of them are few. */
const mostBytesAtOnce = 2 ** 27;

/** One graph in TensorFlow's memory, with the variables that its programs share. */
export class Session {
  private readonly binding: TensorflowBinding;
  private readonly groups: readonly (readonly Variable[])[];
  private readonly id: number;

  /** Throws what TensorFlow says about the graph. `parts`: the programs, as bytes. */
  constructor(
    binding: TensorflowBinding,
    {
      state,
      parts,
      constants,
    }: {
      readonly state: readonly Variable[];
      readonly parts: readonly Uint8Array[];
      /** Variables whose handles are in the parts. */
      readonly constants: readonly Variable[];
    },
  ) {
    this.binding = binding;
    this.groups = grouped([...state, ...constants]);
    const model = encodeSavedModel([this.variableNodes(new Set(state)), ...parts]);
    const folder = mkdtempSync(path.join(tmpdir(), 'peco-tensorflow-'));
    try {
      writeFileSync(path.join(folder, 'saved_model.pb'), model);
      this.id = binding.loadSavedModel(folder, servingTag);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Gives all variables these values. */
  write(valueFor: (name: string) => HostTensor): void {
    for (const [index, group] of this.groups.entries()) {
      const feeds = group.map(({ name }) => ({ name: `${name}/new`, value: valueFor(name) }));
      for (const { id } of this.run(feeds, [`written_${index}`])) this.binding.deleteTensor(id);
    }
  }

  read(): Map<string, HostTensor> {
    const found = new Map<string, HostTensor>();
    for (const group of this.groups) {
      const results = this.run(
        [],
        group.map(({ name }) => `${name}/read`),
      );
      for (const [index, { id }] of results.entries()) {
        const { name, spec } = group[index]!;
        found.set(name, this.take(id, spec));
      }
    }
    return found;
  }

  /** Runs what the outputs need; the tensors returned are the caller's to `take`. */
  run(
    feeds: readonly { readonly name: string; readonly value: HostTensor }[],
    outputs: readonly string[],
  ): readonly { readonly id: number }[] {
    const ids: number[] = [];
    try {
      for (const { value } of feeds) ids.push(this.give(value));
      const names = (list: readonly string[]) =>
        list.map((name) => (name.includes(':') ? name : `${name}:0`)).join();
      return this.binding.runSavedModel(this.id, ids, names(feeds.map(({ name }) => name)), names(outputs));
    } finally {
      for (const id of ids) this.binding.deleteTensor(id);
    }
  }

  /** Copies a tensor to the host and disposes of it. */
  take(id: number, { dtype, shape }: Required<TensorSpec>): HostTensor {
    try {
      const data = allocate(dtype, shape);
      data.set(this.binding.tensorDataSync(id));
      return { dtype, shape: [...shape], data };
    } finally {
      this.binding.deleteTensor(id);
    }
  }

  dispose(): void {
    this.binding.deleteSavedModel(this.id);
  }

  private give({ dtype, shape, data }: HostTensor): number {
    // A copy: the addon shares the memory of an aligned array with TensorFlow, where a variable may keep it, and reads
    // none that other threads share.
    if (dtype !== 'uint8') return this.binding.createTensor(shape, typeNumbers[dtype], data.slice());
    const words = Math.ceil(data.length / 4);
    const packed = new Uint8Array(words * 4);
    packed.set(data);
    return this.binding.createTensor([words], typeNumbers.int32, new Int32Array(packed.buffer));
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
