import fs from 'node:fs';
import path from 'node:path';
import { usageError } from '../flags.ts';

/** `columns` independent chains of `depth` stages each. */
export interface Shape {
  readonly columns: number;
  readonly depth: number;
}

/** A stage reads the shared code file and the output of the stage before it in its column. */
export interface Stage {
  readonly name: string;
  readonly previous: string | undefined;
  /** Nothing reads its output. */
  readonly isLast: boolean;
}

/** Reads `10x10`. Throws PecoError on anything else, and on chains that peco-exp's roles can't make. */
export function parseShape(text: string): Shape {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [columns, depth] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || columns < 1 || depth < 3) {
    throw usageError(`"${text}" is not COLUMNSxDEPTH with a depth of at least 3, such as 10x10`);
  }
  return { columns, depth };
}

export function countStages({ columns, depth }: Shape): number {
  return columns * depth;
}

/** Every stage after the one that it reads. */
export function listStages({ columns, depth }: Shape): Stage[] {
  return Array.from({ length: columns * depth }, (_, index) => {
    const [column, level] = [Math.floor(index / depth), index % depth];
    return {
      name: `s_${column}_${level}`,
      previous: level > 0 ? `s_${column}_${level - 1}` : undefined,
      isLast: level === depth - 1,
    };
  });
}

export const codeFile = 'code.txt';
/** Gets a line from every stage that runs: how we know that nothing ran. */
export const ranFile = 'ran.log';

export function outputOf(stage: string): string {
  return `out/${stage}.txt`;
}

/** Files that a stage reads, relative to its folder. */
export function inputsOf({ previous }: Stage): string[] {
  return [codeFile, ...(previous === undefined ? [] : [outputOf(previous)])];
}

/** Shell line of a stage; the peers all run the same. */
export function commandOf(stage: Stage): string {
  return `cat ${inputsOf(stage).join(' ')} | cksum > ${outputOf(stage.name)} && echo ${stage.name} >> ${ranFile}`;
}

/** About 20 kB of code: `lines` functions of one line. */
export function makeCode(lines = 320): string {
  const line = (index: number) =>
    `export function step${index}(x: number): number { return x * ${index}; }\n`;
  return Array.from({ length: lines }, (_, index) => line(index)).join('');
}

/** Writes files below a folder, making folders; what isn't text is written as JSON. */
export function writeFiles(dir: string, files: { readonly [name: string]: string | object }): void {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, typeof content === 'string' ? content : `${JSON.stringify(content, null, 1)}\n`);
  }
}
