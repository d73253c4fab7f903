import path from 'node:path';
import { disk } from '../../../../framework/stage/disk.ts';
import { formatOf, some, whyUnread } from '../folder.ts';
import type { FolderProblem } from './problems.ts';

/** What a list can be; for messages. */
export const labelForms = [
  '`labels` is one of:',
  '  a line "name class" for each image: ILSVRC2012_val_00000001.JPEG n01751748',
  '  a line "name number" for each image, counted from 0, as of Caffe; with `synsets`',
  '  LOC_val_solution.csv of Kaggle',
  '  a line "class", or the number of an ILSVRC id counted from 1 (ILSVRC2012_validation_ground_truth.txt of the devkit;',
  '    with `synsets`), for each image in the order of the numbers in their names',
  '`synsets` has a class a line, in the order of the numbers',
].join('\n');

/** Larger files are no such lists. */
const largest = 1 << 28;

/** The classes of the images of a flat folder. */
export interface Labelled {
  /** Sorted by code unit, as the folders of classes are. */
  readonly classes: readonly string[];
  /** The class of each image. */
  readonly labels: Int32Array;
}

interface Files {
  readonly labels: string;
  readonly synsets?: string | undefined;
}

interface Line {
  readonly number: number;
  readonly words: readonly string[];
}

/** How lines of a list are to be read. */
interface Form {
  /** Whether each line names its image; otherwise it is that of the line's number. */
  readonly named: boolean;
  /** Names have no ending. */
  readonly bare: boolean;
  /** Classes are numbers, the first of which is this. */
  readonly from?: 0 | 1;
}

/** A problem, or several, that end the reading. */
class Refused extends Error {
  readonly problems: readonly FolderProblem[];
  constructor(...problems: readonly FolderProblem[]) {
    super(problems[0]!.message);
    this.problems = problems;
  }
}

/** Reads which class each of the images of a flat folder has, or says all that is wrong with the lists. */
export function readLabels(
  names: readonly string[],
  files: Files,
): Labelled | { readonly problems: readonly FolderProblem[] } {
  try {
    const { form, lines } = readList(files.labels);
    const known = files.synsets === undefined ? undefined : readSynsets(files.synsets, form);
    const classOf = classReader(form, lines, known);
    const found = form.named ? byName(names, lines, form, classOf) : byPlace(names, lines, classOf);
    const classes = [...(known ?? new Set(found))].sort();
    const places = new Map(classes.map((name, place) => [name, place]));
    const labels = Int32Array.from(found, (name) => places.get(name)!);
    const used = new Set(labels);
    const unused = classes.filter((_, place) => !used.has(place));
    if (unused.length > 0)
      refuse(
        'synsets',
        `has classes that no image has: ${some(unused)}`,
        'complete the folder, or leave them out',
      );
    return { classes, labels };
  } catch (error) {
    if (error instanceof Refused) return { problems: error.problems };
    throw error;
  }
}

function readList(file: string): { readonly form: Form; readonly lines: readonly Line[] } {
  const all = linesOf(file, 'labels');
  const isKaggle = /^imageid,predictionstring$/i.test(all[0]!.words.join(','));
  const lines = isKaggle ? all.slice(1) : all;
  if (lines.length === 0) refuse('labels', 'is empty', labelForms);
  const widths = isKaggle ? undefined : lines[0]!.words.length;
  const odd = lines.find(({ words }) => (widths === undefined ? words.length < 2 : words.length !== widths));
  if (odd !== undefined || (widths ?? 2) > 2) {
    const { number, words } = odd ?? lines[0]!;
    refuse('labels', `line ${number} is no label: ${show(words.join(' '))}`, labelForms);
  }
  const named = widths !== 1;
  const classes = lines.map(({ words }) => words[named ? 1 : 0]!);
  const numbers = classes.filter((name) => /^\d+$/.test(name)).length;
  if (numbers > 0 && numbers < classes.length) {
    const of = lines.find(({ words }) => !/^\d+$/.test(words[named ? 1 : 0]!))!;
    refuse(
      'labels',
      `has numbers as classes, but not in line ${of.number}: ${show(of.words.join(' '))}`,
      labelForms,
    );
  }
  const image = classes.findIndex((name) => formatOf(name) !== undefined);
  if (image >= 0)
    refuse(
      'labels',
      `line ${lines[image]!.number} has an image where its class should be: ${show(classes[image]!)}`,
      labelForms,
    );
  return { form: { named, bare: isKaggle, ...(numbers > 0 ? { from: named ? 0 : 1 } : {}) }, lines };
}

/** The classes by their numbers. */
function readSynsets(file: string, { from }: Form): ReadonlySet<string> {
  const names = linesOf(file, 'synsets').map(({ words }) => words[0]!);
  const seen = new Set<string>();
  const twice = names.filter((name) => seen.has(name) || !seen.add(name));
  if (twice.length > 0) refuse('synsets', `has classes twice: ${some(twice)}`);
  const isSorted = names.every((name, place) => place === 0 || names[place - 1]! < name);
  if (from === 1 && isSorted && names.length > 1)
    refuse(
      'synsets',
      'has its classes in alphabetical order, and ILSVRC ids, which count from 1, are in another one',
      "list the classes in the order of ILSVRC ids, as the devkit's meta.mat has them: of ILSVRC2012 the first is n02119789",
    );
  return seen;
}

/** The class that a line says. */
function classReader(
  { named, from }: Form,
  lines: readonly Line[],
  known: ReadonlySet<string> | undefined,
): (line: Line) => string {
  const at = named ? 1 : 0;
  if (from === undefined) {
    const classes = new Set(lines.map(({ words }) => words[at]!));
    const unknown = known === undefined ? [] : [...classes].filter((name) => !known.has(name));
    if (unknown.length > 0)
      refuse('labels', `has classes that are not in \`synsets\`: ${some(unknown.map(show))}`);
    return ({ words }) => words[at]!;
  }
  if (known === undefined) refuse('labels', 'has numbers instead of names of classes', labelForms);
  const classes = [...known!];
  return ({ words, number }) => {
    const name = classes[Number(words[at]) - from];
    if (name === undefined)
      refuse(
        'labels',
        `line ${number} has the class ${words[at]}, but numbers are ${from} to ${classes.length - 1 + from}`,
        `\`synsets\` has ${classes.length.toLocaleString('en-US')} classes; numbers after names count from 0, numbers alone from 1`,
      );
    return name!;
  };
}

/** The class of each image, where each line names one. */
function byName(
  names: readonly string[],
  lines: readonly Line[],
  { bare }: Form,
  classOf: (line: Line) => string,
): string[] {
  const key = (name: string) => (bare ? path.parse(name).name : name);
  const places = new Map(names.map((name, place) => [key(name), place]));
  const classes = new Array<string>(names.length);
  const [absent, twice]: [string[], string[]] = [[], []];
  for (const line of lines) {
    const name = line.words[0]!;
    const place = places.get(name);
    if (place === undefined) absent.push(name);
    else if (place in classes) twice.push(name);
    else classes[place] = classOf(line);
  }
  const without = names.filter((_, place) => !(place in classes));
  const problems: FolderProblem[] = [];
  const add = (which: readonly string[], what: string, hint: string) => {
    if (which.length > 0)
      problems.push({
        field: 'labels',
        message: `${what} (${which.length.toLocaleString('en-US')}): ${some(which)}`,
        hint,
      });
  };
  add(
    absent.map(show),
    'names images that are not in the folder',
    'a line begins with the name of a file in `root`, without folders',
  );
  add(twice.map(show), 'names images twice', 'leave one line for each');
  add(without, 'has no class for images of the folder', 'add a line for each, or remove the images');
  if (problems.length > 0) throw new Refused(...problems);
  return classes;
}

/** The class of each image, where line n is that of the image with the number n in its name. */
function byPlace(
  names: readonly string[],
  lines: readonly Line[],
  classOf: (line: Line) => string,
): string[] {
  const many = (count: number) => count.toLocaleString('en-US');
  if (names.length !== lines.length)
    refuse(
      'labels',
      `has ${many(lines.length)} classes for the ${many(names.length)} images of the folder`,
      'without names it has a line for each image: complete the folder, or give a list with names',
    );
  const odd = names.findIndex((name, place) => Number(/(\d+)\.\w+$/.exec(name)?.[1]) !== place + 1);
  if (odd >= 0)
    refuse(
      'labels',
      `line ${odd + 1} would be for ${names[odd]}: without names, line n is for the image whose name ends with the number n`,
      'give a list with names',
    );
  return lines.map(classOf);
}

function linesOf(file: string, field: FolderProblem['field']): Line[] {
  let text: string;
  try {
    if (disk.ends(file, 1).size > largest) refuse(field, 'is too large for a list');
    text = Buffer.from(disk.read(file)).toString('utf8');
  } catch (cause) {
    if (cause instanceof Refused) throw cause;
    return refuse(field, whyUnread(cause));
  }
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line, place): Line => ({ number: place + 1, words: line.trim().split(/[\s,]+/) }))
    .filter(({ words }) => words[0] !== '');
  if (lines.length === 0) refuse(field, 'is empty', labelForms);
  return lines;
}

function show(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

function refuse(field: FolderProblem['field'], message: string, hint?: string): never {
  throw new Refused({ field, message, ...(hint === undefined ? {} : { hint }) });
}
