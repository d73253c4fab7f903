import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { quickPlaces, quickVariables } from './files.ts';
import { type QuickProject, setVariable } from './project.ts';

const ways = [
  'write',
  'same size',
  'rewrite',
  'touch',
  'remove',
  'rename',
  'link',
  'link to other',
  'folder',
] as const;

/** A change of an input. `which` chooses among contents, values, or the places that a pattern stands for. */
export type Edit =
  | { readonly place: string; readonly way: (typeof ways)[number]; readonly which: number }
  | { readonly variable: string; readonly which: number };

export const kinds: readonly string[] = [...Object.keys(quickPlaces), 'variables'];

/** Edits of one kind of input. */
export function editOf(kind: string): fc.Arbitrary<Edit> {
  const which = fc.nat(3);
  if (kind === 'variables')
    return fc.record({ variable: fc.constantFrom(...Object.keys(quickVariables)), which });
  const place = fc.constantFrom(...Object.keys(quickPlaces[kind]!));
  return fc.record({ place, way: fc.constantFrom(...ways), which });
}

/** Every edit that there is. */
export function allEdits(): Edit[] {
  const places = Object.values(quickPlaces).flatMap((of) => Object.entries(of));
  return [
    ...places.flatMap(([place, texts]) =>
      ways.flatMap((way) =>
        (way === 'write' || place.includes('*') ? [0, 1, 2, 3] : [0])
          .filter((which) => which < texts.length || place.includes('*'))
          .map((which) => ({ place, way, which })),
      ),
    ),
    ...Object.entries(quickVariables).flatMap(([variable, values]) =>
      values.map((_value, which) => ({ variable, which })),
    ),
  ];
}

/** Makes an edit; returns what undoes it. */
export function apply(project: QuickProject, edit: Edit): () => void {
  if ('variable' in edit) {
    const before = process.env[edit.variable];
    const values = quickVariables[edit.variable]!;
    setVariable(project, edit.variable, values[edit.which % values.length]);
    return () => {
      if (before === undefined) delete process.env[edit.variable];
      else process.env[edit.variable] = before;
    };
  }
  const place = pick(project, edit.place, edit.which);
  if (place === undefined) return () => {};
  const texts = Object.values(quickPlaces).find((places) => edit.place in places)![edit.place]!;
  const aside = project.file(`aside/${made++}`); // where no listing of a folder sees it
  fs.mkdirSync(aside, { recursive: true });
  const undo = remember(project.file(place), aside);
  try {
    change(project.file(place), edit.way, { aside, text: texts[edit.which % texts.length]! });
  } catch {
    // Not after the edits before it: a link to nothing can't be copied. Half an edit is one as well.
  }
  return undo;
}

let made = 0;

/** One of the places that match a pattern, in which a star stands for any name. */
function pick(project: QuickProject, pattern: string, which: number): string | undefined {
  let all = [''];
  for (const part of pattern.split('/')) {
    const names = (dir: string) => (part === '*' ? fs.readdirSync(project.file(dir)).sort() : [part]);
    all = all.flatMap((dir) => names(dir).map((name) => path.join(dir, name)));
  }
  return all[which % Math.max(1, all.length)];
}

function change(
  file: string,
  way: (typeof ways)[number],
  { aside, text }: { readonly aside: string; readonly text: string },
): void {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  const away = path.join(aside, 'away');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  if (stat === undefined || way === 'write') {
    fs.rmSync(file, { recursive: true, force: true });
    if (way === 'folder') fs.mkdirSync(file);
    else if (way === 'link to other')
      fs.symlinkSync(away, file); // to nothing
    else fs.writeFileSync(file, text);
  } else if (way === 'touch') {
    fs.utimesSync(file, new Date(), new Date());
  } else if (way === 'same size' && stat.isFile()) {
    const bytes = fs.readFileSync(file);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    overwrite(file, bytes);
    fs.utimesSync(file, stat.atime, stat.mtime); // as if nothing had been
  } else {
    const other = path.join(aside, 'other');
    fs.cpSync(fs.realpathSync(file), other, { recursive: true, dereference: true });
    fs.renameSync(file, away);
    if (way === 'folder') fs.mkdirSync(file);
    if (way === 'link') fs.symlinkSync(away, file);
    if (way === 'rewrite') copy(away, file);
    if (way === 'link to other' || way === 'same size') {
      for (const one of filesIn(other).slice(0, 1)) overwrite(one, text);
      fs.symlinkSync(other, file);
    }
  }
}

/** Also what is read only. */
function overwrite(file: string, content: string | Uint8Array): void {
  if (!fs.realpathSync(file).includes('peco-exp-test-')) throw new Error(`${file} is no file of the test`);
  fs.chmodSync(file, 0o644);
  fs.writeFileSync(file, content);
}

function filesIn(place: string): string[] {
  if (!fs.statSync(place).isDirectory()) return [place];
  return fs.readdirSync(place).flatMap((name) => filesIn(path.join(place, name)));
}

/** Keeps a copy of what is at a place; returns what puts it back. */
function remember(file: string, aside: string): () => void {
  let top = file;
  while (!fs.existsSync(path.dirname(top))) top = path.dirname(top);
  const kept = path.join(aside, 'kept');
  const wasThere = fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  if (wasThere) copy(file, kept);
  return () => {
    fs.rmSync(wasThere ? file : top, { recursive: true, force: true });
    if (wasThere) fs.renameSync(kept, file);
    fs.rmSync(aside, { recursive: true });
  };
}

/** Of a link the link, also of one to nothing, which `cpSync` of Node 22 looks through. */
function copy(from: string, to: string): void {
  if (fs.lstatSync(from).isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(from), to);
  else fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}
