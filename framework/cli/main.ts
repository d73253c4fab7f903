import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { formatError, isPecoError } from '../stage/errors.ts';
import type { AcceptFlags } from './commands/accept.ts';
import type { DoctorFlags } from './commands/doctor.ts';
import type { GcFlags } from './commands/gc.ts';
import type { GraphFlags } from './commands/graph.ts';
import type { ShowFlags } from './commands/show.ts';
import { isReaderGone } from './interrupts.ts';
import type { ExperimentFlags } from './prepare.ts';

/** Runs the command line; `args` without node and script. Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // A reader that has gone away (`| head`) wants no more; a run takes it for Ctrl-C, see interrupts.ts.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!isReaderGone(error)) throw error;
    });
  }
  let code = 0;
  const program = createProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its message (or the help, or the version) already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error, args.includes('--verbose'));
  }
}

function reportError(error: unknown, verbose: boolean): number {
  const expected = isPecoError(error);
  const stack = error instanceof Error ? error.stack : undefined;
  const lines = [expected ? formatError(error) : `unexpected error: ${formatError(error)}`];
  if (verbose && stack !== undefined) lines.push('', stack);
  else if (!expected) lines.push('  --verbose shows where it came from');
  process.stderr.write(`${lines.join('\n')}\n`);
  return expected ? 2 : 1;
}

function createProgram(finish: (code: number) => void): Command {
  const program = new Command('peco-exp')
    .description('Runs experiments on visual tokenizers: only the stages whose meaning changed.')
    .version(readVersion())
    .exitOverride()
    .showHelpAfterError('(peco-exp --help lists commands and flags)')
    .helpCommand(false);
  withExperimentFlags(program.command('run'), 'Run an experiment and write its table.').action(
    async (file: string, flags: ExperimentFlags) => {
      const { runCommand } = await import('./commands/run.ts');
      finish(await runCommand(file, flags, readVersion()));
    },
  );
  withExperimentFlags(program.command('plan'), 'Show what would run, and why; run nothing.').action(
    async (file: string, flags: ExperimentFlags) => {
      const { planCommand } = await import('./commands/plan.ts');
      finish(await planCommand(file, flags));
    },
  );
  withExperimentFlags(
    program.command('why'),
    'Say in which fields a stage differs from the nearest stored result; run nothing.',
    '<stage>',
  ).action(async (file: string, stage: string, flags: ExperimentFlags) => {
    const { whyCommand } = await import('./commands/why.ts');
    finish(await whyCommand(file, stage, flags));
  });
  withExperimentFlags(
    program.command('accept'),
    'Declare that a change does not matter to stages: take their nearest stored results.',
    '[stages...]',
  )
    .option('--all', 'every stage that would run and has a stored result of its kind')
    .option('--anything', 'also where config, data, seed or inputs differ, not only code and packages')
    .action(async (file: string, stages: string[], flags: AcceptFlags) => {
      const { acceptCommand } = await import('./commands/accept.ts');
      finish(await acceptCommand(file, stages, flags));
    });
  withExperimentFlags(
    program.command('diff'),
    'Say in what two experiments, or two runs, differ, stage by stage; --set and the like concern the second.',
    '<other>',
  ).action(async (file: string, other: string, flags: ExperimentFlags) => {
    const { diffCommand } = await import('./commands/diff.ts');
    finish(await diffCommand(file, other, flags));
  });
  withExperimentFlags(program.command('graph'), 'Print the DAG for mermaid or graphviz.')
    .addOption(new Option('--format <name>', 'language').choices(['mermaid', 'dot']).default('mermaid'))
    .action(async (file: string, flags: GraphFlags) => {
      const { graphCommand } = await import('./commands/graph.ts');
      finish(await graphCommand(file, flags));
    });
  withExperimentOptions(
    program.command('gc').argument('[files...]', 'experiment files (.ts) whose results stay'),
    'Remove stored results that these experiments do not reach, and what nobody needs.',
  )
    .option('--older-than <age>', 'remove only what was not used for so long: 12h, 30d', parseAge)
    .option('--max-size <size>', 'remove the longest unused until the rest fits: 500MB, 20GB', parseSize)
    .option('--all', 'remove every result')
    .option('--work', 'remove all work folders of stages, not only those older than a week')
    .option('--dry-run', 'only say what would be removed')
    .action(async (files: readonly string[], flags: GcFlags) => {
      const { gcCommand } = await import('./commands/gc.ts');
      finish(await gcCommand(files, flags));
    });
  withProjectFlags(
    program
      .command('show')
      .argument('[what]', 'a run (its id, a unique start of it, or last) or a stored key'),
    'Show what is stored: runs and results; replay one run; tell all about one result.',
  ).action(async (what: string | undefined, flags: ShowFlags) => {
    const { showCommand } = await import('./commands/show.ts');
    finish(await showCommand(what, flags));
  });
  withProjectFlags(
    program.command('doctor'),
    'Try every engine on this machine; show the settings and where they come from.',
  ).action(async (flags: DoctorFlags) => {
    const { doctorCommand } = await import('./commands/doctor.ts');
    finish(await doctorCommand(readVersion(), flags));
  });
  return program;
}

/** All commands take the same flags, so that changing the command of a line is enough. */
function withExperimentFlags(command: Command, description: string, ...more: string[]): Command {
  command.argument('<file>', 'experiment file (.ts)');
  for (const argument of more) command.argument(argument);
  return withExperimentOptions(command, description);
}

function withExperimentOptions(command: Command, description: string): Command {
  command
    .option('--set <path=value>', 'change a field of the experiment; repeatable', collect)
    .option('--sweep <path=values>', 'sweep a field: path=a,b,c; repeatable, as a product', collect)
    .option('--seeds <list>', 'replace the seeds, for example 0,1,2', parseSeeds)
    .option('--upto <stage>', 'only this stage and what it needs; repeatable', collect)
    .option('--fail-fast', 'stop at the first failed stage (default: make all that can be made)');
  return withProjectFlags(command, description);
}

function withProjectFlags(command: Command, description: string): Command {
  return command
    .description(description)
    .option(
      '--engine <name>',
      'engine that trains: onnx, reference, wasm, tensorflow or auto (default: onnx; PECO_ENGINE)',
    )
    .option('--store <dir>', 'folder of stored results (default: .peco; PECO_STORE)')
    .option('--out <dir>', 'folder for results (default: results; PECO_RESULTS)')
    .option('--jobs <n>', 'stages at once (default: number of cores, at most 4; PECO_JOBS)', parsePositive)
    .option(
      '--retries <n>',
      'times that a stage whose process died is started again (default: 1; PECO_RETRIES)',
      parseCount,
    )
    .option('--timeout <time>', 'longest that a stage may run: 90s, 10m, 2h (default: none; PECO_TIMEOUT)')
    .option('--json', 'machine-readable output: JSON, one object a line')
    .option('--verbose', 'show what stages print, and stacks of errors');
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
function parseAge(value: string): number {
  const units: { readonly [unit: string]: number } = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
  const match = /^(\d+(?:\.\d+)?)([hdw])$/.exec(value);
  if (!match) throw new InvalidArgumentError('give hours, days or weeks, for example 12h, 30d or 4w');
  return Number(match[1]) * units[match[2]!]!;
}

/** In bytes. */
function parseSize(value: string): number {
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

function parseSeeds(value: string): readonly number[] {
  const seeds = value.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const valid =
    seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0) && new Set(seeds).size === seeds.length;
  if (!valid) throw new InvalidArgumentError('give different whole numbers from 0 up, with commas: 0,1,2');
  return seeds;
}

function readVersion(): string {
  // The bundled command line lies in dist/, one below the package's root.
  const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'package.json');
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
