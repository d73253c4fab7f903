import { type Command, InvalidArgumentError, Option } from 'commander';
import { listOf } from './text/format.ts';

/** Flags that more than one command has, each said once. */
const shared = {
  set: () =>
    new Option(
      '--set <path=value>',
      'change a field of the experiment, or with * several: tokenizers.*.steps=5; repeatable',
    ).argParser(collect),
  sweep: () =>
    new Option('--sweep <path=values>', 'sweep a field: path=a,b,c; repeatable, as a product').argParser(
      collect,
    ),
  seeds: () => new Option('--seeds <list>', 'replace the seeds, for example 0,1,2').argParser(parseSeeds),
  tasks: () =>
    new Option('--tasks <names>', 'only these downstream tasks, for example finetune,probe').argParser(
      parseNames,
    ),
  smoke: () =>
    new Option(
      '--smoke',
      'a smoke run: the whole experiment with everything at its smallest, in minutes and without data or weights; the numbers mean nothing',
    ),
  upto: () =>
    new Option('--upto <stage>', 'only this stage and what it needs; repeatable').argParser(collect),
  engine: () =>
    new Option(
      '--engine <name>',
      'engine that trains: onnx, onnx:webgpu, reference, wasm, tensorflow or auto (default: onnx; PECO_ENGINE)',
    ),
  store: () => new Option('--store <dir>', 'folder of stored results (default: .peco; PECO_STORE)'),
  out: () => new Option('--out <dir>', 'folder for results (default: results; PECO_RESULTS)'),
  jobs: () =>
    new Option(
      '--jobs <n>',
      'stages to run at once (default: number of cores, at most 4; PECO_JOBS)',
    ).argParser(parsePositive),
  retries: () =>
    new Option(
      '--retries <n>',
      'times to start a stage again whose process died (default: 1; PECO_RETRIES)',
    ).argParser(parseCount),
  timeout: () =>
    new Option('--timeout <time>', 'time limit for each stage: 90s, 10m, 2h (default: none; PECO_TIMEOUT)'),
  executor: () =>
    new Option(
      '--executor <name>',
      'who runs the stages: local (this machine) or slurm (jobs of a cluster) (default: local; PECO_EXECUTOR)',
    ),
  columns: () =>
    new Option(
      '--columns <names>',
      'only these columns, in this order, with commas: metrics, labels or titles (probe.top1)',
    ).argParser(parseColumns),
  rows: () =>
    new Option(
      '--rows <names>',
      'only these rows, in this order, with commas; * stands for any text',
    ).argParser(parseRows),
  precision: () =>
    new Option('--precision <digits>', 'digits after the point, in all columns').argParser(parseCount),
  sort: () => new Option('--sort <column>', 'order the rows by a column, the best first'),
  tensorboard: () =>
    new Option(
      '--tensorboard <dir>',
      'also write what stages logged as event files of TensorBoard below this folder',
    ),
  json: () => new Option('--json', 'machine-readable output: JSON, one object a line'),
  verbose: () => new Option('--verbose', 'show stacks of errors'),
};

export type SharedFlag = keyof typeof shared;

/** Flags that change what an experiment file says. */
export const changes: readonly SharedFlag[] = ['set', 'sweep', 'seeds', 'tasks', 'smoke'];

/** Flags that say which part of the table is shown, and how. */
export const showing = ['columns', 'rows', 'precision', 'sort'] as const satisfies readonly SharedFlag[];

/** Adds flags to a command, in the order in which its help lists them. */
export function addFlags(command: Command, names: readonly SharedFlag[]): Command {
  for (const name of names) command.addOption(shared[name]());
  return command;
}

/**
 * What to say of a flag that a command doesn't have: the commands that have it, if there are any. Other messages stay as
 * they are.
 *
 * @param message of commander
 * @param command that the flag was given to; undefined if it came before any
 */
export function explainUnknownFlag(
  message: string,
  command: string | undefined,
  commands: readonly Command[],
): string {
  const flag = /^error: unknown option '(--[\w-]+)/.exec(message)?.[1];
  const owners = commands.filter(({ options }) => options.some(({ long }) => long === flag));
  if (flag === undefined || owners.length === 0) return message;
  const names = listOf(owners.map((one) => one.name()));
  if (command === undefined) return `error: ${flag} goes after the command (${names})\n`;
  return `error: ${command} has no ${flag}, which is for ${names}\n`;
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function parsePositive(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('give a whole number from 1 up');
  return number;
}

/** In milliseconds. */
export function parseAge(value: string): number {
  const units: { readonly [unit: string]: number } = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
  const match = /^(\d+(?:\.\d+)?)([hdw])$/.exec(value);
  if (!match) throw new InvalidArgumentError('give hours, days or weeks, for example 12h, 30d or 4w');
  return Number(match[1]) * units[match[2]!]!;
}

/** In bytes. */
export function parseSize(value: string): number {
  const units: { readonly [unit: string]: number } = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
  const match = /^(\d+(?:\.\d+)?)(KB|MB|GB|TB)$/i.exec(value);
  if (!match) throw new InvalidArgumentError('give a size, for example 500MB or 20GB');
  return Number(match[1]) * units[match[2]!.toUpperCase()]!;
}

function parseCount(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isInteger(number) || number < 0)
    throw new InvalidArgumentError('give a whole number from 0 up');
  return number;
}

function parseNames(value: string): readonly string[] {
  return differentNames(value.split(','), 'tasks, with commas: finetune,probe');
}

function parseColumns(value: string): readonly string[] {
  return differentNames(value.split(','), 'columns, with commas: top1,psnr');
}

/** A comma within the name of a swept row belongs to it: `peco@size=512,dim=16`. */
function parseRows(value: string): readonly string[] {
  return differentNames(value.split(/,(?![^,@]*=)/), 'rows, with commas: beit,peco@size=512');
}

function differentNames(parts: readonly string[], what: string): readonly string[] {
  const names = parts.map((name) => name.trim());
  if (names.includes('') || new Set(names).size !== names.length)
    throw new InvalidArgumentError(`give different names of ${what}`);
  return names;
}

function parseSeeds(value: string): readonly number[] {
  const seeds = value.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const valid =
    seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0) && new Set(seeds).size === seeds.length;
  if (!valid) throw new InvalidArgumentError('give different whole numbers from 0 up, with commas: 0,1,2');
  return seeds;
}
