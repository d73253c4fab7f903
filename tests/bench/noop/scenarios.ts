import fs from 'node:fs';
import path from 'node:path';
import { countStages, makeCode, type Shape, writeFiles } from './graph.ts';
import { fillStore, pecoCommand } from './peco.ts';
import { dataset, experimentFile, makeExperiment, sharedCode, writePecoProject } from './peco-project.ts';
import type { Command } from './tools.ts';

/** Something to measure, again and again. */
export interface Contender {
  readonly name: string;
  /** Number of stages, where it has any. */
  readonly stages?: number;
  readonly command: Command;
  /** Called before each run, outside the measured time. */
  prepare?(run: number): void;
  /** Looks at what a run printed. Throws if that isn't what should have happened. */
  check?(output: string): void;
}

const manyFiles = 10_000;

/** `peco-exp run` with nothing changed. */
export async function unchangedRun(dir: string, shape: Shape): Promise<Contender> {
  writePecoProject(dir, shape);
  return contend('peco-exp', dir, await fillStore(dir, shape), 'run');
}

/** `peco-exp plan` in a project that is there already. */
export function unchangedPlan(dir: string, shape: Shape): Contender {
  return contend('peco-exp plan', dir, countStages(shape), 'plan');
}

/** Every file of the project gets a new time and keeps its bytes. */
export async function touchedRun(dir: string, shape: Shape): Promise<Contender> {
  const contender = await unchangedRun(dir, shape);
  const files = [
    experimentFile,
    dataset,
    'package.json',
    ...fs.readdirSync(path.join(dir, 'parts')).map((file) => `parts/${file}`),
  ];
  return {
    ...contender,
    name: `peco-exp, ${files.length} files touched`,
    prepare() {
      const now = new Date();
      for (const file of files) fs.utimesSync(path.join(dir, file), now, now);
    },
  };
}

/** Another value in the config of one tokenizer: it and what follows in its column, three stages, have no result. */
export async function changedConfigPlan(dir: string, shape: Shape): Promise<Contender> {
  const { stages } = await unchangedRun(dir, shape);
  return {
    ...contend('peco-exp plan, a config changed', dir, stages! - 3, 'plan'),
    stages: stages!,
    prepare: (run) => writeFiles(dir, { [experimentFile]: makeExperiment(shape, run + 1) }),
  };
}

/** Another line in the code that all stages share: none has a result. */
export async function changedCodePlan(dir: string, shape: Shape): Promise<Contender> {
  const { stages } = await unchangedRun(dir, shape);
  return {
    ...contend('peco-exp plan, shared code changed', dir, 0, 'plan'),
    stages: stages!,
    prepare: (run) => writeFiles(dir, { [sharedCode]: `${makeCode()}export const change = ${run};\n` }),
  };
}

/** A dataset of many small files. Throws where files of a component can't be folders. */
export async function manyFilesRun(dir: string, shape: Shape): Promise<Contender> {
  const name = (index: number) => `${dataset}/${index % 100}/${index}.txt`;
  const files = Array.from(
    { length: manyFiles },
    (_, index) => [name(index), `image ${index}\n`.repeat(10)] as const,
  );
  writePecoProject(dir, shape, Object.fromEntries(files));
  return contend('peco-exp, dataset of 10,000 files', dir, await fillStore(dir, shape), 'run');
}

function contend(name: string, dir: string, hits: number, command: 'run' | 'plan'): Contender {
  return {
    name,
    stages: hits,
    command: pecoCommand(dir, command),
    check(output) {
      const seen =
        command === 'run'
          ? Number(/(\d+) stored, 0 ran/.exec(output)?.[1])
          : (output.match(/^ *hit /gm) ?? []).length;
      if (seen !== hits)
        throw new Error(`${name}: ${seen} of ${hits} stages were found stored\n${output.slice(-2000)}`);
    },
  };
}
