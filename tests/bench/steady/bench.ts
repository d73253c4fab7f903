import { fileURLToPath } from 'node:url';
import { engineModes } from '../../../components/engine/open.ts';
import { Running } from '../engine/contender.ts';
import { checkNames } from '../flags.ts';
import type { Bytes, Memory } from './child.ts';

export interface SteadyOptions {
  /** Engines; absent: all that compile. */
  readonly only: readonly string[] | undefined;
  readonly steps: number;
}

const engines = [
  'onnx',
  'tensorflow',
  ...engineModes.filter((mode) => mode.startsWith('tensorflow:')),
  'onnx:webgpu',
];
/** For memory: the tests' small ones. For bytes: those of `bench engine` that threads share the work of. */
const trainings = ['mim', 'vqvae'];
const shapes = ['mim-small', 'vqvae-small'];

const say = (line: string) => process.stdout.write(`${line}\n`);
const script = fileURLToPath(new URL('./child.ts', import.meta.url));

/**
 * What each engine promises beside its numbers: that a training of many steps takes no more memory, and that the same training
 * gives the same bytes. Prints two tables in markdown. Throws PecoError for engines that there aren't.
 */
export async function benchSteady({ only, steps }: SteadyOptions): Promise<void> {
  checkNames('--only', only ?? [], engines);
  const chosen = engines.filter((name) => only?.includes(name) ?? true);
  say(`| engine | training | MiB after 100 steps | after ${steps} | tensors more |`);
  say('| --- | --- | ---: | ---: | ---: |');
  for (const name of chosen) {
    for (const training of trainings) {
      const found = await ask<Memory>('memory', name, training, String(steps));
      const cells =
        'problem' in found
          ? [found.problem, '', '']
          : [found.early.toFixed(0), found.late.toFixed(0), String(found.tensors ?? '')];
      say(`| ${[`\`${name}\``, training, ...cells].join(' | ')} |`);
      if (!('problem' in found)) for (const warning of found.warnings) note(name, warning);
    }
  }
  say('');
  say('| engine | shape | run to run | process to process | 1 and 2 threads |');
  say('| --- | --- | --- | --- | --- |');
  for (const name of chosen) {
    for (const shape of shapes)
      say(`| ${[`\`${name}\``, shape, ...(await compare(name, shape))].join(' | ')} |`);
  }
}

/** The cells of a row: whether the bytes are the same. */
async function compare(name: string, shape: string): Promise<string[]> {
  const [one, two, again] = [
    await ask<Bytes>('bytes', name, shape, '1'),
    await ask<Bytes>('bytes', name, shape, '2'),
    await ask<Bytes>('bytes', name, shape, '2'),
  ];
  if ('problem' in one) return [one.problem, '', ''];
  if ('problem' in two || 'problem' in again) return ['a process failed', '', ''];
  for (const warning of new Set([one, two, again].flatMap(({ warnings }) => warnings))) note(name, warning);
  const same = (...digests: readonly string[]) => (new Set(digests).size === 1 ? 'same' : 'differ');
  const within = [one, two, again].map(({ digests }) => same(...digests));
  return [
    within.includes('differ') ? 'differ' : 'same',
    same(two.digests[0]!, again.digests[0]!),
    same(one.digests[0]!, two.digests[0]!),
  ];
}

/** The answer of a process, or why there is none. */
async function ask<T>(...args: readonly string[]): Promise<T | { readonly problem: string }> {
  const node = [process.execPath, '--expose-gc', '--import=tsx', '--conditions=peco-source', script, ...args];
  const child = new Running(node);
  try {
    return await child.answer<T>();
  } catch (error) {
    return { problem: (error as Error).message };
  } finally {
    await child.end();
  }
}

function note(name: string, warning: string): void {
  process.stderr.write(`${name}: ${warning}\n`);
}
