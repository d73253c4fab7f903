import fs from 'node:fs';
import path from 'node:path';
import type { Comment, Program } from 'oxc-parser';
import { loaderOf } from './script.ts';

/** What comments in source files say of the fields of objects and of constants. */
export interface FieldDocs {
  /**
   * The comment at a field, where it is written beside most others that the object has too, and no other; of several such
   * places the nearest to the entry. Without one, that of the constant which the field's value begins with.
   *
   * @param fields all names of the object
   */
  docOf(field: string, fields: readonly string[]): string | undefined;
  /** The comment at a constant or a function, by its name. */
  docOfConstant(name: string): string | undefined;
}

interface Field {
  readonly name: string;
  /** Names that are written beside it, itself included. */
  readonly siblings: readonly string[];
  readonly doc: string | undefined;
  /** The constant that its value begins with. */
  readonly root: string | undefined;
}

interface Source {
  readonly fields: readonly Field[];
  readonly constants: ReadonlyMap<string, string>;
  /** Names of its functions. */
  readonly functions: ReadonlySet<string>;
  /** Files that it imports, absolute. */
  readonly imports: readonly string[];
  /** Names that it imports of packages, by the request: `peco-exp/kit`. */
  readonly packages: readonly { readonly request: string; readonly name: string }[];
  /** Where exported names come from, if from another file. */
  readonly exports: ReadonlyMap<string, string>;
}

/** Reads the comments of source files, each once. */
export class DocReader {
  readonly #sources = new Map<string, Source>();
  readonly #entrances: { readonly [request: string]: string };

  /** @param entrances the sources that packages begin with, by the request: those that are read for what is imported of them */
  constructor(entrances: { readonly [request: string]: string } = {}) {
    this.#entrances = entrances;
  }

  /** The files that a module exports its names from; those of its own are not listed. */
  async exportsOf(file: string): Promise<ReadonlyMap<string, string>> {
    return (await this.#read(file)).exports;
  }

  /** Comments of a file and of those that it imports by a path, however far. */
  async docsOf(file: string): Promise<FieldDocs> {
    const sources: Source[] = [];
    const wanted = new Set([file]);
    for (const one of wanted) {
      const source = await this.#read(one);
      sources.push(source);
      for (const other of source.imports) wanted.add(other);
      for (const { request, name } of source.packages) {
        const entrance = this.#entrances[request];
        const other = entrance === undefined ? undefined : (await this.exportsOf(entrance)).get(name);
        if (other !== undefined) wanted.add(other);
      }
    }
    const docOfConstant = (name: string) => firstOf(sources, ({ constants }) => constants.get(name));
    return { docOfConstant, docOf: (field, fields) => docOfField(sources, field, fields, docOfConstant) };
  }

  async #read(file: string): Promise<Source> {
    const known = this.#sources.get(file);
    if (known) return known;
    const source = await readSource(file);
    this.#sources.set(file, source);
    return source;
  }
}

function firstOf<T, R>(items: readonly T[], look: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function docOfField(
  sources: readonly Source[],
  field: string,
  fields: readonly string[],
  docOfConstant: (name: string) => string | undefined,
): string | undefined {
  const there = new Set(fields);
  // What a function of a config makes is another config: `view: smokeView(view)`.
  const isMade = ({ doc, root }: Field) =>
    doc === undefined && root !== undefined && sources.some(({ functions }) => functions.has(root));
  const candidates = sources
    .flatMap((source) => source.fields)
    .filter((one) => one.name === field && one.siblings.every((name) => there.has(name)) && !isMade(one));
  const most = Math.max(0, ...candidates.map(({ siblings }) => siblings.length));
  const near = candidates.filter(({ siblings }) => siblings.length === most);
  return (
    firstOf(near, ({ doc }) => doc) ??
    firstOf(near, ({ root }) => (root === undefined ? undefined : docOfConstant(root)))
  );
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

async function readSource(file: string): Promise<Source> {
  const { parseSync } = await import('oxc-parser');
  const text = fs.readFileSync(file, 'utf8');
  const { program, comments, module } = parseSync(file, text, { lang: loaderOf(file) });
  const docAt = docFinder(text, comments);
  const fields: Field[] = [];
  const constants = new Map<string, string>();
  const functions = new Set<string>();
  visit(program as Program as unknown as Node, (node) => {
    if (node.type === 'FunctionDeclaration' && node.id) functions.add((node.id as Node).name as string);
    if (node.type === 'ObjectExpression') fields.push(...fieldsOf(node, docAt));
    for (const [name, doc] of constantsIn(node, docAt)) if (!constants.has(name)) constants.set(name, doc);
  });
  const resolve = (request: string) => {
    const target = path.resolve(path.dirname(file), request);
    return request.startsWith('.') && fs.existsSync(target) ? [target] : [];
  };
  const entries = module.staticExports.flatMap((statement) => statement.entries);
  return {
    ...{ fields, constants, functions },
    imports: module.staticImports.flatMap(({ moduleRequest }) => resolve(moduleRequest.value)),
    packages: module.staticImports.flatMap(({ moduleRequest: { value: request }, entries: names }) =>
      request.startsWith('.')
        ? []
        : names.map(({ importName }) => ({ request, name: importName.name ?? '' })),
    ),
    exports: new Map(
      entries.flatMap(({ exportName, moduleRequest }) =>
        resolve(moduleRequest?.value ?? '').map((target) => [exportName.name ?? '', target] as const),
      ),
    ),
  };
}

function visit(node: Node, look: (node: Node) => void): void {
  look(node);
  for (const value of Object.values(node)) {
    for (const one of Array.isArray(value) ? value : [value])
      if (typeof one === 'object' && one !== null && typeof one.type === 'string') visit(one as Node, look);
  }
}

type DocAt = (start: number) => string | undefined;

/** The comment `/** ... *\/` before a place, with nothing but space between. */
function docFinder(text: string, comments: readonly Comment[]): DocAt {
  const byEnd = new Map(comments.map((comment) => [comment.end, comment]));
  return (start) => {
    const end = text.slice(0, start).trimEnd().length;
    const comment = byEnd.get(end);
    if (comment?.type !== 'Block' || !comment.value.startsWith('*')) return undefined;
    return plainText(comment.value.slice(1));
  };
}

/** Without the stars; paragraphs stay, lines don't. What begins with a tag such as `@throws` is for programmers. */
function plainText(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim());
  const tag = lines.findIndex((line) => line.startsWith('@'));
  return lines
    .slice(0, tag < 0 ? lines.length : tag)
    .join('\n')
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll('\n', ' '))
    .join('\n\n');
}

function fieldsOf(object: Node, docAt: DocAt): Field[] {
  const properties = (object.properties as readonly Node[]).flatMap((property) => {
    const name =
      property.type === 'Property' && !property.computed ? nameOf(property.key as Node) : undefined;
    return name === undefined ? [] : [{ name, property }];
  });
  const siblings = properties.map(({ name }) => name);
  const fields = properties.map(({ name, property }) => ({
    ...{ name, siblings },
    doc: docAt(property.start),
    root: rootOf(property.value as Node),
  }));
  // One without any comment is a value of such an object, not where its fields are said.
  return fields.some(({ doc }) => doc !== undefined) ? fields : [];
}

function nameOf({ type, name, value }: Node): string | undefined {
  if (type === 'Identifier') return name as string;
  return type === 'Literal' && typeof value === 'string' ? value : undefined;
}

/** `count` of `count.optional()` and of `count`. */
function rootOf(node: Node): string | undefined {
  if (node.type === 'CallExpression') return rootOf(node.callee as Node);
  if (node.type === 'MemberExpression') return rootOf(node.object as Node);
  return node.type === 'Identifier' ? (node.name as string) : undefined;
}

function constantsIn(node: Node, docAt: DocAt): [string, string][] {
  const isExported = node.type === 'ExportNamedDeclaration';
  const declaration = isExported ? (node.declaration as Node | null) : node;
  const isFunction = /^(FunctionDeclaration|TSDeclareFunction)$/.test(declaration?.type ?? '');
  if (!declaration || !(isFunction || declaration.type === 'VariableDeclaration')) return [];
  const doc = docAt(node.start);
  if (doc === undefined) return [];
  const ids = isFunction
    ? [declaration.id as Node]
    : (declaration.declarations as readonly Node[]).map(({ id }) => id as Node);
  return ids.flatMap((id) =>
    id?.type === 'Identifier' ? [[id.name as string, doc] as [string, string]] : [],
  );
}
