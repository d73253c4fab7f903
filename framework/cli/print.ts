import { inCharacters, type Look, lookOf } from './text/look.ts';

let write = (text: string): void => void process.stdout.write(text);
let hasAnswered = false;

/** What this process's stdout can show. */
export function outputLook(): Look {
  return lookOf(process.stdout, process.env);
}

/** Prints the answer of a command, or a part of it, as it is. */
export function printText(text: string): void {
  hasAnswered = true;
  write(text);
}

/** Prints the answer of a command, in characters that the terminal has. */
export function printLines(lines: readonly string[], look = outputLook()): void {
  printText(inCharacters(lines.map((line) => `${line}\n`).join(''), look));
}

/** Stdout while it is kept for answers. */
export interface Answers {
  /** Whether anything was printed since. */
  has(): boolean;
  /** Takes stdout back as it was. */
  end(): void;
}

/** From now on stdout has what commands print and no more: what the code of an experiment file prints goes to stderr. */
export function keepForAnswers(): Answers {
  const { stdout, stderr } = process;
  const [before, original] = [write, stdout.write];
  hasAnswered = false;
  write = (text) => void original.call(stdout, text);
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  return {
    has: () => hasAnswered,
    end() {
      write = before;
      stdout.write = original;
    },
  };
}
