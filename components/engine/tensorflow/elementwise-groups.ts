import { sizeOf } from '../graph/value.ts';
import type { Ref } from './builder.ts';
import type { NodeDef, TensorflowType } from './graph-def.ts';
import type { TensorflowOp } from './op-table.ts';

/** Nodes of a step that work element by element, and that can be computed at once when their inputs are there. */
export type Group = readonly NodeDef[];

/** What computes each element from those in its place, and what says where elements lie without moving any. */
const arithmetic: ReadonlySet<string> = new Set<TensorflowOp>([
  ...(['AddV2', 'Sub', 'Mul', 'RealDiv', 'AddN', 'Neg', 'Abs', 'Reciprocal', 'Sqrt', 'Exp', 'Erf'] as const),
  ...([
    'Tanh',
    'Sigmoid',
    'Relu',
    'Greater',
    'GreaterEqual',
    'Less',
    'LessEqual',
    'SelectV2',
    'Cast',
  ] as const),
]);
const views: ReadonlySet<string> = new Set<TensorflowOp>(['Reshape', 'BroadcastTo']);
const types: ReadonlySet<TensorflowType> = new Set(['float32', 'bfloat16', 'bool']);

/** Numbers that needn't be written and read again for a group to be worth a call of its own. */
const leastSaved = 2 ** 18;

/** The name of the node that an input comes from. */
export const sourceOf = (input: string): string => input.replace(/^\^/, '').split(':')[0]!;

/**
 * Groups of nodes, none of which waits for a node outside that waits for another one of the group. `nodes` are in an order
 * of execution; `refs` has their outputs by name.
 */
export function elementwiseGroups(nodes: readonly NodeDef[], refs: ReadonlyMap<string, Ref>): Group[] {
  const readers = readersOf(nodes);
  const parts = partsOfProducts(nodes, refs, readers);
  const fits = new Set(
    nodes.flatMap((node) => (isElementwise(node, refs) && !parts.has(node.name) ? [node.name] : [])),
  );
  const levels = levelsOf(nodes, fits);
  const leaders = new Map<string, string>();
  const leaderOf = (name: string): string => {
    const above = leaders.get(name) ?? name;
    return above === name ? name : leaderOf(above);
  };
  for (const { name, input } of nodes) {
    if (!fits.has(name)) continue;
    for (const source of input.map(sourceOf))
      if (fits.has(source) && levels.get(source) === levels.get(name))
        leaders.set(leaderOf(source), leaderOf(name));
  }
  const groups = new Map<string, NodeDef[]>();
  for (const node of nodes) {
    if (!fits.has(node.name)) continue;
    const leader = leaderOf(node.name);
    groups.set(leader, [...(groups.get(leader) ?? []), node]);
  }
  return [...groups.values()].filter((group) => savedBy(group, refs, readers) >= leastSaved);
}

/** Scalars are computed where they are: otherwise they would make one group of all that they scale. */
function isElementwise({ name, op, input }: NodeDef, refs: ReadonlyMap<string, Ref>): boolean {
  const own = refs.get(name);
  if (!own || sizeOf(own.shape) < 2 || !types.has(own.type)) return false;
  if (views.has(op)) return true;
  return arithmetic.has(op) && input.every((each) => types.has(refs.get(each)?.type ?? 'resource'));
}

const products: ReadonlySet<string> = new Set<TensorflowOp>(['Conv2D', 'MatMul', 'BiasAdd']);

/** Biases and ReLUs of products: TensorFlow's own optimiser makes one node of them, if nothing else reads the product. */
function partsOfProducts(
  nodes: readonly NodeDef[],
  refs: ReadonlyMap<string, Ref>,
  readers: ReadonlyMap<string, readonly NodeDef[]>,
): ReadonlySet<string> {
  const open = new Set<string>();
  const parts = new Set<string>();
  for (const { name, op, input } of nodes) {
    if (products.has(op)) open.add(name);
    const own = input.find((each) => open.has(each) && readers.get(each)!.length === 1);
    if (own === undefined) continue;
    const isBias = op === 'AddV2' && input.some((each) => each !== own && refs.get(each)!.shape.length === 1);
    if (!isBias && op !== 'Relu') continue;
    parts.add(name);
    if (isBias) open.add(name);
  }
  return parts;
}

/**
 * Odd numbers for nodes that fit, even ones for others; no node has a smaller one than its inputs. Nodes that fit come as
 * late as their readers allow, so that they are with them.
 */
function levelsOf(nodes: readonly NodeDef[], fits: ReadonlySet<string>): ReadonlyMap<string, number> {
  const levels = new Map<string, number>();
  const parity = (name: string) => (fits.has(name) ? 1 : 0);
  for (const { name, input } of nodes) {
    const least = Math.max(parity(name), ...input.map((each) => levels.get(sourceOf(each)) ?? 0));
    levels.set(name, least % 2 === parity(name) ? least : least + 1);
  }
  const latest = new Map<string, number>();
  for (const { name, input } of nodes.toReversed()) {
    const own = fits.has(name) ? (latest.get(name) ?? levels.get(name)!) : levels.get(name)!;
    levels.set(name, own);
    for (const source of input.map(sourceOf)) {
      const most = own % 2 === parity(source) ? own : own - 1;
      latest.set(source, Math.min(latest.get(source) ?? most, most));
    }
  }
  return levels;
}

export function readersOf(nodes: readonly NodeDef[]): ReadonlyMap<string, readonly NodeDef[]> {
  const readers = new Map<string, NodeDef[]>();
  for (const node of nodes)
    for (const source of new Set(node.input.map(sourceOf)))
      readers.set(source, [...(readers.get(source) ?? []), node]);
  return readers;
}

/** Numbers that the nodes write one by one, less those that others read. */
function savedBy(
  group: Group,
  refs: ReadonlyMap<string, Ref>,
  readers: ReadonlyMap<string, readonly NodeDef[]>,
): number {
  const own = new Set(group);
  const size = ({ name }: NodeDef) => sizeOf(refs.get(name)!.shape);
  const total = (list: readonly NodeDef[]) => list.reduce((sum, node) => sum + size(node), 0);
  const written = group.filter(({ op }) => op !== 'Reshape');
  const needed = group.filter(({ name }) => (readers.get(name) ?? []).some((reader) => !own.has(reader)));
  return total(written) - total(needed);
}
