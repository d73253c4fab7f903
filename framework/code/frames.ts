import fs from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { SourceLocation } from '../stage/errors.ts';

const framePlace = /(file:\/\/\/\S*?|\/.*?)(?:\?\w+)?:(\d+):(\d+)(?=\)?$)/;

/**
 * The places that the stack of an error passes through, innermost first. Those in a bundle are mapped back to its
 * sources, unless that was done already; all files are absolute.
 *
 * @param bundles files whose source map lies beside them, as `<file>.map`
 */
export function* placesIn(stack: string, bundles: ReadonlySet<string>): Iterable<SourceLocation> {
  for (const frame of mapStack(stack, bundles).split('\n')) {
    const place = placeOf(frame);
    if (place && !bundles.has(place.file)) yield place;
  }
}

/**
 * A stack with the places in the sources for those in bundles. Node does it only as long as the module isn't collected
 * as garbage, which happens to one that has run (Node 20).
 */
export function mapStack(stack: string, bundles: ReadonlySet<string>): string {
  const maps = new Maps();
  return stack
    .split('\n')
    .map((frame) => {
      const place = placeOf(frame);
      const source = place && bundles.has(place.file) && maps.originOf(place);
      return source
        ? frame.replace(framePlace, () => `${source.file}:${source.line}:${source.column}`)
        : frame;
    })
    .join('\n');
}

function placeOf(frame: string): SourceLocation | undefined {
  const [, name, line, column] = framePlace.exec(frame) ?? [];
  if (name === undefined || !/^\s*at /.test(frame)) return undefined;
  const file = name.startsWith('file:') ? fileURLToPath(name) : name;
  return { file, line: Number(line), column: Number(column) };
}

/** Source maps of bundles, each read once. */
class Maps {
  readonly #read = new Map<string, SourceMap | undefined>();

  originOf({ file, line, column }: SourceLocation): SourceLocation | undefined {
    if (!this.#read.has(file)) this.#read.set(file, readMap(file));
    const entry = this.#read.get(file)?.findEntry(line - 1, column - 1);
    if (!entry || !('originalSource' in entry)) return undefined;
    return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }
}

function readMap(bundle: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(fs.readFileSync(`${bundle}.map`, 'utf8')));
  } catch {
    return undefined; // it lies in a disposable cache
  }
}
