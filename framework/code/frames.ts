import fs from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { SourceLocation } from '../stage/errors.ts';

/**
 * The places that the stack of an error passes through, innermost first. Those in a bundle are mapped back to its
 * sources, unless Node has done so already; all files are absolute.
 *
 * @param bundles files whose source map lies beside them, as `<file>.map`
 */
export function* placesIn(stack: string, bundles: ReadonlySet<string>): Iterable<SourceLocation> {
  const maps = new Map<string, SourceMap | undefined>();
  for (const frame of stack.split('\n')) {
    const [, name, line, column] = /(file:\/\/\/\S*?|\/.*?)(?:\?\w+)?:(\d+):(\d+)\)?$/.exec(frame) ?? [];
    if (name === undefined || !/^\s*at /.test(frame)) continue;
    const file = name.startsWith('file:') ? fileURLToPath(name) : name;
    const place = { file, line: Number(line), column: Number(column) };
    if (!bundles.has(file)) {
      yield place;
      continue;
    }
    if (!maps.has(file)) maps.set(file, readMap(file));
    const entry = maps.get(file)?.findEntry(place.line - 1, place.column - 1);
    if (entry && 'originalSource' in entry)
      yield { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }
}

function readMap(bundle: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(fs.readFileSync(`${bundle}.map`, 'utf8')));
  } catch {
    return undefined; // it lies in a disposable cache
  }
}
