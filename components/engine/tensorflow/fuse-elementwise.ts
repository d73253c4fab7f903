import { createHash } from 'node:crypto';
import type { GraphBuilder, Ref } from './builder.ts';
import type { Group } from './elementwise-groups.ts';
import { elementwiseGroups, readersOf, sourceOf } from './elementwise-groups.ts';
import type { FunctionDef, NodeDef } from './graph-def.ts';
import { attribute, typeNumbers, untouched } from './graph-def.ts';
import { signatureOf, type TensorflowOp } from './op-table.ts';

export interface Fused {
  readonly nodes: readonly NodeDef[];
  readonly functions: readonly FunctionDef[];
}

/**
 * Lets XLA compile what works element by element, in groups of nodes: TensorFlow executes the rest of the step node by node,
 * products by oneDNN. Groups that do the same are one function, which is compiled once.
 */
export function fuseElementwise({ nodes, refs }: GraphBuilder): Fused {
  const groups = elementwiseGroups(nodes, refs);
  const makers = new Map(nodes.map((node) => [node.name, node]));
  const readers = readersOf(nodes);
  const functions = new Map<string, FunctionDef>();
  const calls = new Map<NodeDef, NodeDef>();
  const renamed = new Map<string, string>();
  for (const group of groups) {
    const { step, inputs, outputs } = functionOf(group, { refs, makers, readers });
    functions.set(step.signature.name, step);
    const name = group[0]!.name.replace(/[^/]*$/, (own) => `fused_${own}`);
    const typesOf = (refs: readonly Ref[]) => attribute.types(refs.map(({ type }) => type));
    calls.set(group.at(-1)!, {
      name,
      op: 'StatefulPartitionedCall',
      input: inputs.map(({ text }) => text),
      attr: {
        _XlaMustCompile: attribute.bool(true),
        f: attribute.call(step.signature.name),
        Tin: typesOf(inputs),
        Tout: typesOf(outputs),
      },
    });
    for (const node of group) renamed.set(`^${node.name}`, `^${name}`);
    for (const [index, { text }] of outputs.entries())
      renamed.set(text, index === 0 ? name : `${name}:${index}`);
  }
  const inside = new Set(groups.flat());
  const rest = nodes.flatMap((node) => {
    const call = calls.get(node);
    return call ? [call] : inside.has(node) ? [] : [node];
  });
  return {
    nodes: rest.map((node) => ({ ...node, input: node.input.map((each) => renamed.get(each) ?? each) })),
    functions: [...functions.values()],
  };
}

interface Surroundings {
  readonly refs: ReadonlyMap<string, Ref>;
  readonly makers: ReadonlyMap<string, NodeDef>;
  readonly readers: ReadonlyMap<string, readonly NodeDef[]>;
}

/** A group as a function. Names inside are numbers, so that equal groups are equal functions. */
function functionOf(group: Group, { refs, makers, readers }: Surroundings) {
  const inputs: Ref[] = [];
  const inner: NodeDef[] = [];
  const names = new Map<string, string>();
  const entered = (node: NodeDef, input: readonly string[]) => {
    const name = `n${inner.length}`;
    inner.push({ ...node, name, input });
    names.set(node.name, `${name}:${signatureOf(node.op as TensorflowOp).outputs[0]!.name}:0`);
  };
  const nameOf = (text: string): string => {
    const known = names.get(text);
    if (known !== undefined) return known;
    const maker = makers.get(sourceOf(text));
    if (maker?.op === 'Const' && isSmall(refs.get(text)!)) entered(maker, []);
    else names.set(text, `a${inputs.push(refs.get(text)!) - 1}`);
    return names.get(text)!;
  };
  for (const node of group) entered(node, node.input.map(nameOf));
  const own = new Set(group);
  const outputs = group
    .filter(({ name }) => readers.get(name)?.some((reader) => !own.has(reader)))
    .map(({ name }) => refs.get(name)!);
  const content = {
    attr: { _XlaMustCompile: attribute.bool(true), ...untouched },
    nodeDef: inner,
    ret: Object.fromEntries(outputs.map(({ text }, index) => [`o${index}`, names.get(text)!])),
    controlRet: {},
  };
  const signature = {
    inputArg: inputs.map(({ type }, index) => ({ name: `a${index}`, type: typeNumbers[type] })),
    outputArg: outputs.map(({ type }, index) => ({ name: `o${index}`, type: typeNumbers[type] })),
    controlOutput: [],
    isStateful: false,
  };
  const shapes = inputs.map(({ shape }) => shape);
  const digest = createHash('sha256')
    .update(JSON.stringify([content, signature, shapes]))
    .digest('hex');
  const step: FunctionDef = {
    ...content,
    signature: { name: `elementwise_${digest.slice(0, 16)}`, ...signature },
  };
  return { step, inputs, outputs };
}

/** Shapes, and numbers that scale. */
const isSmall = ({ shape }: Ref): boolean => shape.length === 0 || (shape.length === 1 && shape[0]! <= 8);
