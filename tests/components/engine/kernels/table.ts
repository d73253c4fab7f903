import { alternatives, lowerings } from '../../../../components/engine/lower/all.ts';
import { suppressKernel } from '../../../../components/engine/suppress.ts';
import { uniformKernel } from '../../../../components/engine/uniform.ts';
import { gradientCases } from '../gradients/all.ts';
import { families } from './all.ts';
import type { Special } from './kernel-test.ts';
import { casesOf } from './kernel-test.ts';
import { onTensorflow, onXla, refusedByXla } from './on-tensorflow.ts';
import { coarseOnWebgpu, notFiniteOnWebgpu, onCpuUnderWebgpu } from './on-webgpu.ts';

interface Row {
  readonly kernel: string;
  readonly family: string;
  readonly drawn: number;
  readonly special: number;
  readonly notes: readonly string[];
  readonly gradient: number;
}

/** One row for each kernel that can be compiled. */
export function rows(): Row[] {
  return Object.keys(lowerings)
    .sort()
    .map((kernel) => {
      const tests = Object.entries(families).flatMap(([family, list]) =>
        list.filter((each) => each.kernel === kernel).map((test) => ({ family, test, cases: casesOf(test) })),
      );
      const count = (kind: 'drawn' | 'special') =>
        tests.reduce((sum, { cases }) => sum + cases[kind].length, 0);
      return {
        kernel,
        family: tests[0]?.family ?? '',
        drawn: count('drawn'),
        special: count('special'),
        notes: [...new Set(tests.flatMap(({ test }) => noteOf(test.special)))],
        gradient: gradientCases[kernel]?.length ?? 0,
      };
    });
}

function noteOf({ none, withoutNaN, withoutLeast, inputs, why }: Special): string[] {
  if (none !== undefined) return [none];
  const left = [
    ...(withoutNaN === undefined ? [] : [`without NaN: ${withoutNaN}`]),
    ...(withoutLeast === undefined ? [] : [`without -Infinity: ${withoutLeast}`]),
  ];
  if (left.length > 0) return [left.join('; ')];
  return inputs === undefined ? [] : [`input ${inputs.join(', ')} only: ${why}`];
}

/** `components/engine/KERNELS.md`. */
export function kernelsTable(): string {
  const all = rows();
  const sum = (of: (row: Row) => number) => all.reduce((total, row) => total + of(row), 0);
  const heads = ['kernel', 'family', 'cases', 'NaN, infinities', 'gradient', 'note'];
  const body = all.map((row) => [
    row.kernel,
    row.family,
    String(row.drawn),
    String(row.special),
    row.gradient === 0 ? '-' : String(row.gradient),
    row.notes.join('; '),
  ]);
  const refused = Object.entries(alternatives).map(([kernel, instead]) => [kernel, instead]);
  return `# Kernels

Written by \`npx tsx --conditions=peco-source tests/components/engine/kernels-table.ts\`; a test fails when it is out of date.

${all.length} kernels can be compiled: those of tfjs, and the engine's own, \`${uniformKernel}\` and \`${suppressKernel}\`. Each is compared with tfjs's CPU backend: ${sum((row) => row.drawn)} cases of generated
shapes, attributes and dtypes, gradients included, and ${sum((row) => row.special)} cases with NaN, infinities and zeros of both signs. The
column "gradient" counts the places where the kernel's gradient is compared with central differences in float64 (error
below 1e-7, of Erf 5e-6), ${sum((row) => row.gradient)} in all; "-" is a kernel without one: no input, or itself part of a gradient. Where tfjs-core has
a right gradient, ours is the same to 1e-9.

${table(heads, body)}

## On TensorFlow

\`npm run test:tensorflow\` compares the same cases on a real library: all agree, with these exceptions, which concern numbers
that aren't finite.

${table(['kernel', 'exception'], Object.entries(onTensorflow))}

With \`tensorflow:xla\` these are the exceptions; what XLA can't compile (${Object.keys(refusedByXla).join(', ')}) runs without it.

${table(['kernel', 'exception'], Object.entries(onXla))}

## On WebGPU

\`npm run test:webgpu\` compares them on the device that there is: SwiftShader, in software, is the only one tried. All agree where
numbers are finite; ${Object.keys(coarseOnWebgpu).join(', ')} to 2^-11: WGSL lets them have fewer digits. It lets a device assume that there are
neither NaN nor infinities: of those, these make something else, and those of other devices may.

${table(['kernel', 'exception'], Object.entries(notFiniteOnWebgpu))}

Indices out of range are not refused: they become the nearest that are in it. These kernels compute on the CPU, in part or as a
whole, which copies what they need from the device and back:

${table(['kernel', 'what'], Object.entries(onCpuUnderWebgpu))}

## Refused

These kernels are refused by name when a function that uses them is compiled.

${table(['kernel', 'instead'], refused)}
`;
}

function table(heads: readonly string[], body: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...body.map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}
