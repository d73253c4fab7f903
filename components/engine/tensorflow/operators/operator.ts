import type { Node, Value } from '../../graph/value.ts';
import type { GraphBuilder, Ref } from '../builder.ts';

/** Type of the operands of products; sums are float32 either way. */
export type Precision = 'float32' | 'bf16';

export interface Translation {
  readonly b: GraphBuilder;
  readonly node: Node;
  /** As `node.inputs`. */
  readonly inputs: readonly Ref[];
  readonly precision: Precision;
}

/** Adds the nodes that compute one node of a recorded graph; gives its outputs. */
export type Operator = (given: Translation) => Ref | readonly Ref[];

export interface Operators {
  readonly [name: string]: Operator;
}

export const outputShape = ({ outputs }: Node): readonly number[] => outputs[0]!.shape;

export function intAttribute({ attributes }: Node, name: string): number | undefined {
  const found = attributes[name];
  return found && 'int' in found ? found.int : undefined;
}

export function floatAttribute({ attributes }: Node, name: string): number | undefined {
  const found = attributes[name];
  return found && 'float' in found ? found.float : undefined;
}

export function textAttribute({ attributes }: Node, name: string): string | undefined {
  const found = attributes[name];
  return found && 'text' in found ? found.text : undefined;
}

export function intsAttribute({ attributes }: Node, name: string): readonly number[] | undefined {
  const found = attributes[name];
  return found && 'ints' in found ? found.ints : undefined;
}

/** The numbers of an input that is known while recording, such as axes. */
export function knownInts(value: Value | undefined): number[] {
  if (value?.source.kind === 'splat')
    return new Array<number>(value.shape.reduce((a, b) => a * b, 1)).fill(value.source.value);
  if (value?.source.kind !== 'constant') throw new Error('axes and the like are known while recording');
  return Array.from(value.source.data as ArrayLike<number | bigint>, Number);
}
