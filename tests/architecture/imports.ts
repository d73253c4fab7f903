import fs from 'node:fs';
import path from 'node:path';
import { parseSync } from 'oxc-parser';
import { repository } from '../support/project.ts';

/** Which files each file of the project imports, types included: paths from the root of the repository. */
export type Imports = ReadonlyMap<string, ReadonlySet<string>>;

/** Rooms that each room may import. */
export type Arrows = ReadonlyMap<string, ReadonlySet<string>>;

const folders = ['framework', 'components', 'reports'];

/** What others import: they may import all rooms. */
export const entrances: readonly string[] = ['index.ts', 'kit.ts'];

export function readImports(): Imports {
  const files = folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(repository, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.posix.join(folder, name)),
  );
  return new Map([...entrances, ...files].map((file) => [file, importsOf(file)]));
}

function importsOf(file: string): Set<string> {
  const text = fs.readFileSync(path.join(repository, file), 'utf8');
  const { staticImports, staticExports, dynamicImports } = parseSync(file, text).module;
  const named = [
    ...staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value ?? '')),
    ...dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start + 1, end - 1)),
  ];
  const ours = named.filter((name) => /^\.\.?\//.test(name));
  return new Set(ours.map((name) => path.posix.join(path.posix.dirname(file), name)));
}

/** The list in ARCHITECTURE.md: `plan -> files stage`. */
export function readArrows(): Arrows {
  const text = fs.readFileSync(path.join(repository, 'ARCHITECTURE.md'), 'utf8');
  const lines = text.matchAll(/^([a-z/]+(?:\.ts)?) +->(.*)$/gm);
  return new Map([...lines].map(([, room, list]) => [room!, new Set(list!.split(' ').filter(Boolean))]));
}

/** Where a room of the list is. */
export function folderOf(room: string): string {
  const places = [`framework/${room}`, `components/${room}`, room];
  const place = places.find((one) => fs.existsSync(path.join(repository, one)));
  if (place === undefined) throw new Error(`ARCHITECTURE.md has arrows of ${room}, which is no folder`);
  return place;
}

/** Of nested rooms the inner one. */
export function roomOf(file: string, rooms: readonly string[]): string | undefined {
  const around = rooms.filter((room) => file === folderOf(room) || file.startsWith(`${folderOf(room)}/`));
  return around.sort((a, b) => b.length - a.length)[0];
}

/** Groups that lead to each other and back, each sorted: strongly connected components (Tarjan 1972). */
export function circlesIn(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const lows = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (name: string): number => {
    const number = lows.size;
    lows.set(name, number);
    open.push(name);
    let low = number;
    for (const next of graph.get(name) ?? []) {
      if (!lows.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, lows.get(next)!);
    }
    lows.set(name, low);
    if (low === number) {
      const circle = open.splice(open.indexOf(name));
      if (circle.length > 1 || graph.get(name)?.has(name)) circles.push(circle.sort());
    }
    return low;
  };
  for (const name of graph.keys()) if (!lows.has(name)) visit(name);
  return circles;
}
