import fs from 'node:fs';

const mark = '\uFEFF';

/** Text without the byte order mark that some editors put before it; Node and npm skip one, too. */
export function withoutMark(text: string): string {
  return text.startsWith(mark) ? text.slice(mark.length) : text;
}

/**
 * Reads a JSON file that people or other tools wrote: package.json, settings.
 *
 * @throws the file system's error, or SyntaxError
 */
export function readJsonFile(file: string): unknown {
  return JSON.parse(withoutMark(fs.readFileSync(file, 'utf8')));
}
