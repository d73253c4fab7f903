import { inCharacters, type Look, lookOf } from './text/look.ts';

/** What this process's stdout can show. */
export function outputLook(): Look {
  return lookOf(process.stdout, process.env);
}

/** Prints the answer of a command, in characters that the terminal has. */
export function printLines(lines: readonly string[], look = outputLook()): void {
  process.stdout.write(inCharacters(lines.map((line) => `${line}\n`).join(''), look));
}
