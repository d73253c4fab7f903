import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checkNames } from '../flags.ts';
import { countStages, parseShape, type Shape } from './graph.ts';
import { countsResources, lastOutput, measure, type Sample } from './measure.ts';
import { installPeers, npmPeers } from './npm-peers.ts';
import { pecoNote } from './peco-project.ts';
import {
  type Contender,
  changedCodePlan,
  changedConfigPlan,
  manyFilesRun,
  touchedRun,
  unchangedPlan,
  unchangedRun,
} from './scenarios.ts';
import { installSystemPeers, systemPeers } from './system-peers.ts';
import { fastest, formatRows, formatSlopes, medianDifference, type Row } from './table.ts';
import { countRan, type Tool, versionOf } from './tools.ts';

export interface NoopOptions {
  /** Graphs that all tools are measured with, as `10x10`. */
  readonly sizes: readonly string[];
  /** Graph for peco-exp alone. */
  readonly large: string;
  readonly rounds: number;
  /** Folder whose node_modules has the peers from npm. */
  readonly peers: string | undefined;
  /** Names of tools; all if undefined. */
  readonly only: readonly string[] | undefined;
}

const warmups = 2;
const say = (line = '') => process.stdout.write(`${line}\n`);
const note = (line: string) => process.stderr.write(`${line}\n`);

/** Measures each tool's run with nothing to do, all in turn round by round, and prints markdown. */
export async function benchNoop(options: NoopOptions): Promise<void> {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'peco-exp-noop-')));
  try {
    const shapes = options.sizes.map(parseShape);
    const tools = findTools(options);
    const peers = tools.flatMap((tool) => shapes.flatMap((shape) => preparePeer(tool, shape, root)));
    const own = await prepareOwn(shapes, parseShape(options.large), root);
    const [base, ...others] = baselines(root);
    const rows = measureAll([...others, ...peers, ...own], base!, options.rounds, root);
    report(rows, tools, options.rounds);
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
}

function findTools({ peers, only }: NoopOptions): Tool[] {
  const wanted = ({ name }: Tool) => only?.includes(name) ?? true;
  if (peers === undefined) note(`without --peers DIR none from npm; this makes DIR: ${installPeers('DIR')}`);
  const all = [...(peers === undefined ? [] : npmPeers(peers)), ...systemPeers];
  checkNames(
    '--only',
    only ?? [],
    all.map(({ name }) => name),
  );
  const tools = all.filter(wanted);
  return tools.filter((tool) => {
    const found = tool.version() !== undefined;
    if (!found)
      note(`${tool.name} is not installed: left out (${installPeers('DIR')}; ${installSystemPeers})`);
    return found;
  });
}

/** Writes the graph and brings it up to date. Nothing, with a note, for a tool that fails. */
function preparePeer(tool: Tool, shape: Shape, root: string): Contender[] {
  const stages = countStages(shape);
  const dir = makeDir(root, `${tool.name}-${stages}`);
  try {
    tool.write(dir, shape);
    const command = tool.command(dir);
    note(
      `${tool.name}, ${stages} stages: all of them run in ${(measure(command, root).wallMs / 1000).toFixed(1)} s`,
    );
    const check = () => {
      const ran = countRan(dir);
      if (ran !== stages) throw new Error(`${tool.name}: ${ran} stages have run, there are ${stages}`);
    };
    check();
    return [{ name: tool.name, stages, command, check }];
  } catch (error) {
    note(`${tool.name}, ${stages} stages: left out, ${String(error)}`);
    return [];
  }
}

async function prepareOwn(shapes: readonly Shape[], large: Shape, root: string): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const shape of [...shapes, large]) {
    const dir = makeDir(root, `peco-exp-${countStages(shape)}`);
    const started = performance.now();
    contenders.push(await unchangedRun(dir, shape), unchangedPlan(dir, shape));
    note(
      `peco-exp, ${countStages(shape)} stages: stored in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
  }
  for (const scenario of [touchedRun, changedConfigPlan, changedCodePlan, manyFilesRun]) {
    try {
      contenders.push(await scenario(makeDir(root, scenario.name), shapes[0]!));
    } catch (error) {
      note(`${scenario.name}: left out, ${String(error)}`);
    }
  }
  return contenders;
}

/** What starting something that does nothing costs. The first is what ratios are to. */
function baselines(root: string): Contender[] {
  const dir = makeDir(root, 'nothing');
  fs.writeFileSync(path.join(dir, 'package.json'), '{ "scripts": { "nothing": "true" } }');
  const list: Contender[] = [
    { name: 'node -e 0', command: { argv: [process.execPath, '-e', '0'], cwd: dir } },
    { name: 'npm run of `true`', command: { argv: ['npm', 'run', '--silent', 'nothing'], cwd: dir } },
  ];
  if (versionOf('python3') !== undefined)
    list.push({ name: 'python3 -c 0', command: { argv: ['python3', '-c', '0'], cwd: dir } });
  return list;
}

/**
 * Each round begins with another contender, so that none always follows the same one. The baseline is measured again
 * right before every one of them: a machine's speed changes within a round.
 */
function measureAll(contenders: readonly Contender[], base: Contender, rounds: number, root: string): Row[] {
  const samples = contenders.map((): Sample[] => []);
  const bases = contenders.map((): Sample[] => []);
  for (let round = 0; round < warmups + rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round * 7) % contenders.length;
      const contender = contenders[index]!;
      contender.prepare?.(round);
      const baseSample = measure(base.command, root);
      const sample = measure(contender.command, root);
      contender.check?.(lastOutput(root));
      if (round < warmups) continue;
      samples[index]!.push(sample);
      bases[index]!.push(baseSample);
    }
    note(`round ${round + 1} of ${warmups + rounds}${round < warmups ? ' (not counted)' : ''}`);
  }
  const rows = contenders.map((contender, index) => ({
    ...contender,
    samples: samples[index]!,
    bases: bases[index]!,
  }));
  return [{ ...base, samples: bases.flat(), bases: bases.flat() }, ...rows];
}

function report(rows: readonly Row[], tools: readonly Tool[], rounds: number): void {
  const machine = `${os.cpus()[0]?.model ?? 'unknown CPU'}, ${os.availableParallelism()} cores, ${os.type()} ${os.release()}`;
  say(`${machine}; Node ${process.versions.node}; load average ${os.loadavg()[0]!.toFixed(1)} at the end`);
  say(
    `${rounds} rounds after ${warmups} not counted; nothing changed between runs unless the row says so; checked: no stage ran`,
  );
  say();
  const bySize = [...rows].sort((a, b) => (a.stages ?? 0) - (b.stages ?? 0));
  for (const line of formatRows(bySize)) say(line);
  say();
  for (const line of formatSlopes(rows)) say(line);
  say();
  for (const line of describeDataset(rows)) say(line);
  say(
    `- peco-exp: ${pecoNote}. A clone also checks that its own build is fresh, a published package doesn't.`,
  );
  for (const tool of tools) say(`- ${tool.name} ${tool.version()}: ${tool.note}.`);
  say(`- Each stage reads ${'a shared file of code, about 20 kB,'} and the output of the stage before it.`);
  if (!countsResources) say('- No user+sys and peak: GNU time is not installed.');
}

function describeDataset(rows: readonly Row[]): string[] {
  const many = rows.find(({ name }) => name.includes('10,000 files'));
  const one = rows.find(({ name, stages }) => name === 'peco-exp' && stages === many?.stages);
  if (!many || !one) return ['- A dataset of 10,000 files: left out.'];
  const [median, minima] = [medianDifference(many, one), fastest(many) - fastest(one)];
  return [
    `- A dataset of 10,000 files instead of one: ${median.toFixed(0)} ms more (median of rounds; ${minima.toFixed(0)} ms from minima).`,
  ];
}

function makeDir(root: string, name: string): string {
  const dir = path.join(root, name);
  fs.mkdirSync(dir);
  return dir;
}
