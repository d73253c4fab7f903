import path from 'node:path';
import { statAt } from '../stage/stat.ts';
import { type Evaluate, isImportMeta, nameOf, ownPlaces } from './own-place.ts';
import { isScript } from './script.ts';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

/** Collects the constant texts of a file, for code that passes its own place on. */
export interface LooseNames {
  /** Looks at one node; the caller goes through the file. */
  see(node: Node): void;
  /**
   * Files that those texts name beside the file: all that are there, and what looks like a file and isn't. None if
   * every use of the file's own place was understood.
   */
  places(): readonly string[];
}

/**
 * `const at = (name) => new URL(name, import.meta.url)`: which of the names in a file go there can't be said without
 * running it, so each text that names a file beside it counts. To count one too many costs a run; one too few would
 * be a wrong result.
 */
export function createLooseNames(file: string, evaluate: Evaluate): LooseNames {
  const texts = new Set<string>();
  const ignored = new Set<unknown>();
  let isPassedOn = false;
  return {
    see(node) {
      // Imports count by themselves, and so do the modules that a component names.
      if (/^(Import|Export).*Declaration$/.test(node.type) && node.source) ignored.add(node.source);
      if (node.type === 'MemberExpression' && isImportMeta(node.object as Node)) {
        const name = nameOf(node.property as Node);
        if (node.computed !== true && name !== undefined && !Object.hasOwn(ownPlaces, name))
          ignored.add(node.object); // import.meta.main
      }
      if (ignored.has(node)) return;
      if (isImportMeta(node) || (node.type === 'Identifier' && isOwnVariable(node))) isPassedOn = true;
      for (const text of textsOf(node, evaluate)) texts.add(text);
      if (isModuleOfComponent(node)) for (const text of textsWithin(node.value, evaluate)) ignored.add(text);
    },
    places() {
      if (!isPassedOn) return [];
      const dir = path.dirname(file);
      return [...texts].filter((text) => !ignored.has(text)).flatMap((text) => placeOf(text, dir, file));
    },
  };
}

function isOwnVariable(node: Node): boolean {
  return /^__(dirname|filename)$/.test(nameOf(node) ?? '');
}

function* textsOf(node: Node, evaluate: Evaluate): Iterable<string> {
  const constant = evaluate(node);
  if (constant?.own === false) yield constant.text;
  if (node.type === 'TemplateElement') yield (node.value as { readonly cooked?: string }).cooked ?? '';
  if (node.type !== 'CallExpression') return;
  // path.join(folder, 'tables', 'table.json')
  const known = (node.arguments as readonly Node[]).flatMap((one) => evaluate(one) ?? []);
  if (known.length > 1) yield known.map(({ text }) => text).join('/');
}

/** `run: at('./stage.ts')` */
function isModuleOfComponent({ type, key, value }: Node): boolean {
  return (
    type === 'Property' &&
    /^(run|load)$/.test(nameOf(key as Node) ?? '') &&
    !/Function/.test((value as Node).type)
  );
}

function* textsWithin(value: unknown, evaluate: Evaluate): Iterable<string> {
  const { type, arguments: given } = value as Node;
  const all = type === 'CallExpression' ? (given as readonly Node[]) : [value];
  for (const one of all) {
    const text = evaluate(one)?.text;
    if (text !== undefined && isScript(text)) yield text;
  }
}

function placeOf(text: string, dir: string, file: string): string[] {
  if (text === '' || text.length > 250 || /[\n\0]|^\w+:/.test(text)) return [];
  const place = path.join(dir, text);
  if (place === file) return [];
  const stat = statAt(place);
  const mayBeMeant = stat === undefined ? /^[^\s<>]*\w\.\w+$/.test(text) : stat.isFile();
  return mayBeMeant ? [place] : [];
}
