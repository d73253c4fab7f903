import type { EinsumAttrs } from '@tensorflow/tfjs-core';
import { backend_util } from '@tensorflow/tfjs-core';
import { binary } from '../graph/elementwise.ts';
import type { Graph } from '../graph/graph.ts';
import { reduce } from '../graph/reduce.ts';
import { transpose } from '../graph/shape.ts';
import type { Value } from '../graph/value.ts';
import { EngineError } from '../types.ts';
import type { Inputs } from './lowering.ts';

/** A factor of the product with a letter for each of its axes. */
interface Term {
  readonly value: Value;
  readonly letters: string;
}

/**
 * ONNX has the same operator, but it adds number by number. So letters that only one factor has are summed before,
 * and a product of two factors with the same letters is one, both in blocks where sums are long.
 */
export function einsum(g: Graph, inputs: Inputs, { equation }: EinsumAttrs): Value {
  const operands = Object.values(inputs);
  const lengths = lengthsOf(operands, equation);
  const [given = '', result = ''] = equation.replace(/\s/g, '').split('->');
  const terms = given.split(',').map((letters, index) => ({ value: operands[index]!, letters }));
  const left = multiplied(g, terms).map((term, index, all) => {
    const others = [result, ...all.filter((_, other) => other !== index).map(({ letters }) => letters)].join(
      '',
    );
    return summedAlone(g, term, others);
  });
  const shape = [...result].map((letter) => lengths.get(letter)!);
  const tensors = left.filter(({ letters }) => letters !== '');
  const numbers = left.filter(({ letters }) => letters === '').map(({ value }) => value);
  if (tensors.length === 0) return numbers.reduce((product, each) => binary(g, 'Mul', product, each));
  const text = `${tensors.map(({ letters }) => letters).join(',')}->${result}`;
  const [first] = tensors as [Term];
  const whole =
    tensors.length === 1 && isPermutation(first.letters, result)
      ? transpose(
          g,
          first.value,
          [...result].map((letter) => first.letters.indexOf(letter)),
        )
      : g.emit(
          'Einsum',
          tensors.map(({ value }) => value),
          { type: first.value.type, shape },
          { equation: { text } },
        );
  return numbers.reduce((product, each) => binary(g, 'Mul', product, each), whole);
}

function lengthsOf(operands: readonly Value[], equation: string): ReadonlyMap<string, number> {
  const { allDims, idDims } = backend_util.decodeEinsumEquation(equation, operands.length);
  const lengths = new Map<string, number>();
  operands.forEach((operand, index) => {
    idDims[index]!.forEach((dim, axis) => {
      const letter = allDims[dim]!;
      const length = operand.shape[axis]!;
      if ((lengths.get(letter) ?? length) !== length) {
        throw new EngineError(
          `einsum '${equation}': '${letter}' is both ${lengths.get(letter)} and ${length}`,
        );
      }
      lengths.set(letter, length);
    });
  });
  return lengths;
}

/** Two factors with the same letters become their product. */
function multiplied(g: Graph, terms: readonly Term[]): readonly Term[] {
  const [a, b] = terms;
  if (!a || !b || terms.length !== 2 || a.letters !== b.letters || hasRepeats(a.letters)) return terms;
  return [{ value: binary(g, 'Mul', a.value, b.value), letters: a.letters }];
}

/** Sums the axes whose letters nothing else has. */
function summedAlone(g: Graph, { value, letters }: Term, others: string): Term {
  // A letter that a factor has twice is its diagonal.
  const alone = [...letters].map((letter) => !others.includes(letter) && letters.split(letter).length === 2);
  const axes = [...alone.keys()].filter((axis) => alone[axis]);
  if (axes.length === 0) return { value, letters };
  return {
    value: reduce(g, 'ReduceSum', value, axes, false),
    letters: [...letters].filter((_, axis) => !alone[axis]).join(''),
  };
}

const hasRepeats = (letters: string) => new Set(letters).size < letters.length;

function isPermutation(letters: string, of: string): boolean {
  return !hasRepeats(letters) && [...letters].sort().join('') === [...of].sort().join('');
}
