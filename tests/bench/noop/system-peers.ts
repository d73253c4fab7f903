import fs from 'node:fs';
import path from 'node:path';
import {
  codeFile,
  commandOf,
  inputsOf,
  listStages,
  makeCode,
  outputOf,
  type Shape,
  type Stage,
  writeFiles,
} from './graph.ts';
import { type Tool, versionOf } from './tools.ts';

export const installSystemPeers = 'apt-get install snakemake python3-doit make';

/** Build tools that systems bring. */
export const systemPeers: readonly Tool[] = [
  {
    name: 'snakemake',
    note: 'a rule a stage; `snakemake --cores 2 --quiet`',
    version: () => versionOf('snakemake'),
    write: (dir, shape) => writeGraph(dir, shape, 'Snakefile', snakefile),
    command: (dir) => ({
      argv: ['snakemake', '--cores', '2', '--quiet'],
      cwd: dir,
      // Else it looks for its caches in the home folder.
      env: { XDG_CACHE_HOME: path.join(dir, '.cache') },
    }),
  },
  {
    name: 'doit',
    note: 'a task a stage; `doit`',
    version: () => versionOf('doit'),
    write: (dir, shape) => writeGraph(dir, shape, 'dodo.py', dodo),
    command: (dir) => ({ argv: ['doit', '-v', '0'], cwd: dir }),
  },
  {
    name: 'make',
    note: 'a rule a stage; looks at times only, so that it is the floor rather than a peer',
    version: () => versionOf('make'),
    write: (dir, shape) => writeGraph(dir, shape, 'Makefile', makefile),
    command: (dir) => ({ argv: ['make', '--silent'], cwd: dir }),
  },
];

function writeGraph(
  dir: string,
  shape: Shape,
  name: string,
  write: (stages: readonly Stage[]) => string,
): void {
  writeFiles(dir, { [codeFile]: makeCode(), [name]: write(listStages(shape)) });
  fs.mkdirSync(path.join(dir, 'out'));
}

function lastOutputs(stages: readonly Stage[]): string[] {
  return stages.filter(({ isLast }) => isLast).map(({ name }) => outputOf(name));
}

function snakefile(stages: readonly Stage[]): string {
  const quote = (files: readonly string[]) => files.map((file) => JSON.stringify(file)).join(', ');
  const rule = (stage: Stage) => `
rule ${stage.name}:
    input: ${quote(inputsOf(stage))}
    output: ${quote([outputOf(stage.name)])}
    shell: ${JSON.stringify(commandOf(stage))}
`;
  return `rule all:\n    input: ${quote(lastOutputs(stages))}\n${stages.map(rule).join('')}`;
}

function dodo(stages: readonly Stage[]): string {
  const tasks = stages.map((stage) => ({
    name: stage.name,
    actions: [commandOf(stage)],
    file_dep: inputsOf(stage),
    targets: [outputOf(stage.name)],
  }));
  return `def task_stage():\n    yield from [\n${tasks.map((task) => `        ${JSON.stringify(task)},\n`).join('')}    ]\n`;
}

function makefile(stages: readonly Stage[]): string {
  const rule = (stage: Stage) =>
    `${outputOf(stage.name)}: ${inputsOf(stage).join(' ')}\n\t${commandOf(stage)}\n`;
  return `all: ${lastOutputs(stages).join(' ')}\n.PHONY: all\n${stages.map(rule).join('')}`;
}
