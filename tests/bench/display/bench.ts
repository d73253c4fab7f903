import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { usageError } from '../flags.ts';
import { countStages, parseShape, type Shape } from '../noop/graph.ts';
import { cleanEnvironment } from '../noop/measure.ts';
import { pecoCommand } from '../noop/peco.ts';
import { writePecoProject } from '../noop/peco-project.ts';

export interface DisplayOptions {
  /** Graphs of tiny stages, as `50x5`. */
  readonly shapes: readonly string[];
  readonly rounds: number;
}

type Output = 'pipe' | 'terminal';

interface Sample {
  readonly wallSeconds: number;
  /** Of the process that schedules and shows, without those of stages. */
  readonly cpuSeconds: number;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
/** Writes the processor time of the command line's process to a file; stages inherit the option and do nothing. */
const hook = `
import fs from 'node:fs';
if (process.argv[1]?.endsWith('peco-exp.js')) process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  fs.writeFileSync(process.env.BENCH_USAGE, String((user + system) / 1e6));
});`;

/** Runs projects of tiny stages with the live display and through a pipe, in turn, and prints markdown. */
export function benchDisplay({ shapes, rounds }: DisplayOptions): void {
  if (spawnSync('script', ['--version']).error) throw usageError('this needs `script` (util-linux)');
  const parsed = shapes.map(parseShape);
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'peco-exp-display-')));
  try {
    say('| stages | round | pipe s | terminal s | ratio | pipe CPU s | terminal CPU s | ratio |');
    say('| -----: | ----: | -----: | ---------: | ----: | ---------: | -------------: | ----: |');
    for (const shape of parsed) {
      for (let round = 0; round < rounds; round++) {
        // Each goes first in every other round.
        const order: Output[] = round % 2 === 0 ? ['pipe', 'terminal'] : ['terminal', 'pipe'];
        const samples = new Map(order.map((output) => [output, measure(root, shape, output)]));
        say(formatRow(shape, round, samples.get('pipe')!, samples.get('terminal')!));
      }
    }
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

/** A first run: every stage runs. @throws if it fails */
function measure(root: string, shape: Shape, output: Output): Sample {
  const dir = fs.mkdtempSync(path.join(root, 'project-'));
  writePecoProject(dir, shape);
  const usage = path.join(root, 'usage.txt');
  const options = `--import="data:text/javascript,${encodeURIComponent(hook)}"`;
  const command = pecoCommand(dir, 'run').argv.join(' ');
  const shell =
    output === 'pipe'
      ? `${command} | cat`
      : // An open input that says nothing: at the end of its input `script` would take a whole core to read on.
        `mkfifo in && script -qec "stty rows 30 cols 100; ${command}" /dev/null 0<> in > terminal.log`;
  const started = performance.now();
  const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', shell], {
    cwd: dir,
    env: { ...cleanEnvironment(), TERM: 'xterm', CI: '', NODE_OPTIONS: options, BENCH_USAGE: usage },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const wallSeconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`${shell}: exit code ${status}\n${stderr}`);
  const drawn =
    output === 'terminal' && fs.readFileSync(path.join(dir, 'terminal.log'), 'utf8').includes('\x1b[J');
  if (output === 'terminal' && !drawn) throw new Error('there was no live display');
  fs.rmSync(dir, { recursive: true, force: true });
  return { wallSeconds, cpuSeconds: Number(fs.readFileSync(usage, 'utf8')) };
}

function formatRow(shape: Shape, round: number, pipe: Sample, terminal: Sample): string {
  const cells = (['wallSeconds', 'cpuSeconds'] as const).flatMap((what) => [
    pipe[what].toFixed(2),
    terminal[what].toFixed(2),
    (terminal[what] / pipe[what]).toFixed(3),
  ]);
  return `| ${[countStages(shape), round + 1, ...cells].join(' | ')} |`;
}
