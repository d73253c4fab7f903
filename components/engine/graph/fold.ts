import type { ElementType } from './value.ts';

/** Arithmetic on numbers that are known while recording, rounded as the type rounds. Unknown operators: undefined. */

const unaryFunctions: { readonly [op: string]: (x: number) => number } = {
  Neg: (x) => -x,
  Abs: Math.abs,
  Sqrt: Math.sqrt,
  Exp: Math.exp,
  Log: Math.log,
  Floor: Math.floor,
  Ceil: Math.ceil,
  Reciprocal: (x) => 1 / x,
};

const binaryFunctions: { readonly [op: string]: (a: number, b: number) => number } = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Max: Math.max,
  Min: Math.min,
  Pow: (a, b) => a ** b,
};

export function foldUnary(op: string, x: number, type: ElementType): number | undefined {
  return type === 'float32' && op in unaryFunctions ? Math.fround(unaryFunctions[op]!(x)) : undefined;
}

export function foldBinary(op: string, a: number, b: number, type: ElementType): number | undefined {
  return type === 'float32' && op in binaryFunctions ? Math.fround(binaryFunctions[op]!(a, b)) : undefined;
}

/** As typed arrays convert: to int32 by cutting off, to bool by "is it not zero?". */
export function foldCast(x: number, type: ElementType): number {
  if (type === 'bool') return x === 0 ? 0 : 1;
  return type === 'float32' ? Math.fround(x) : Math.trunc(x) | 0;
}
