import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Expression, Program } from 'oxc-parser';

/** A text that code makes of constants; `own` if `import.meta` is among them. */
interface Constant {
  readonly text: string;
  readonly own: boolean;
}

type Node = { readonly type: string; readonly start: number };

/** What an expression is that is made of constants and of the place of its file; undefined for any other. */
export type Evaluate = (node: unknown) => Constant | undefined;

/** Functions of `node:path` and `node:url` that are followed, by the names that they have there. */
const followed: { readonly [name: string]: (...texts: readonly string[]) => string } = {
  join: path.join,
  resolve: path.resolve,
  normalize: path.normalize,
  dirname: (file = '') => path.dirname(file),
  fileURLToPath: (url = '') => fileURLToPath(url),
  pathToFileURL: (file = '') => pathToFileURL(file).href,
  String: (text = '') => text,
};

/** What `import.meta` says of the place of its file; the last two are also variables of CommonJS. */
export const ownPlaces: { readonly [name: string]: (file: string) => string } = {
  url: (file) => pathToFileURL(file).href,
  filename: (file) => file,
  dirname: (file) => path.dirname(file),
};

/** Reads literals, templates, sums, constants of the file, `new URL(...)` and the functions of `followed`. */
export function createEvaluator(program: Program, file: string): Evaluate {
  const evaluator = new Evaluator(program, file);
  return (node) => evaluator.evaluate(node as Expression);
}

class Evaluator {
  readonly #file: string;
  readonly #constants: ReturnType<typeof constantsOf>;

  constructor(program: Program, file: string) {
    this.#file = file;
    this.#constants = constantsOf(program);
  }

  evaluate(node: Expression | undefined | null, depth = 0): Constant | undefined {
    if (!node || depth > 20) return undefined;
    const inner = (one: unknown) => this.evaluate(one as Expression, depth + 1);
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'string' ? { text: node.value, own: false } : undefined;
      case 'TemplateLiteral':
        return join(
          node.quasis.flatMap(({ value }, index) => [
            { text: value.cooked ?? '', own: false },
            ...(index < node.expressions.length ? [inner(node.expressions[index])] : []),
          ]),
          (...texts) => texts.join(''),
        );
      case 'BinaryExpression':
        return node.operator === '+'
          ? join([inner(node.left), inner(node.right)], (...texts) => texts.join(''))
          : undefined;
      case 'ParenthesizedExpression':
      case 'TSAsExpression':
      case 'TSSatisfiesExpression':
      case 'TSNonNullExpression':
        return inner(node.expression);
      case 'Identifier':
        return this.#constants.has(node.name)
          ? inner(this.#constants.get(node.name))
          : this.#place(/^__((?:dir|file)name)$/.exec(node.name)?.[1]);
      case 'NewExpression':
        return node.callee.type === 'Identifier' && node.callee.name === 'URL'
          ? join(node.arguments.map(inner), (text = '', base) => new URL(text, base).href)
          : undefined;
      case 'MemberExpression':
        return this.#member(node.object, node.property, depth);
      case 'CallExpression':
        return this.#call(node.callee, node.arguments.map(inner), depth);
      default:
        return undefined;
    }
  }

  #place(name: string | undefined): Constant | undefined {
    const place = name !== undefined && Object.hasOwn(ownPlaces, name) ? ownPlaces[name] : undefined;
    return place && { text: place(this.#file), own: true };
  }

  #member(object: Expression, property: Node, depth: number): Constant | undefined {
    const name = nameOf(property);
    if (isImportMeta(object)) return this.#place(name);
    const of = name === 'href' || name === 'pathname' ? this.evaluate(object, depth + 1) : undefined;
    return of && join([of], (text = '') => (name === 'href' ? text : new URL(text).pathname));
  }

  #call(callee: Expression, texts: readonly (Constant | undefined)[], depth: number): Constant | undefined {
    const name = callee.type === 'MemberExpression' ? nameOf(callee.property) : nameOf(callee);
    if (callee.type === 'MemberExpression' && name === 'toString')
      return this.evaluate(callee.object, depth + 1);
    const follow = name !== undefined && Object.hasOwn(followed, name) ? followed[name] : undefined;
    return follow && join(texts, follow);
  }
}

export function isImportMeta(node: Node): boolean {
  return (
    node.type === 'MetaProperty' && (node as unknown as { meta: { name: string } }).meta.name === 'import'
  );
}

export function nameOf(node: Node): string | undefined {
  if (node.type === 'Identifier') return (node as unknown as { readonly name: string }).name;
  const { value } = node as unknown as { readonly value?: unknown };
  return node.type === 'Literal' && typeof value === 'string' ? value : undefined;
}

/** Undefined if one of the parts is, or where they don't fit. */
function join(
  parts: readonly (Constant | undefined)[],
  combine: (...texts: readonly string[]) => string,
): Constant | undefined {
  if (parts.some((part) => part === undefined)) return undefined;
  try {
    const known = parts as readonly Constant[];
    return { text: combine(...known.map(({ text }) => text)), own: known.some(({ own }) => own) };
  } catch {
    return undefined; // not a URL
  }
}

/** Constants that a file declares, outside of functions. */
function constantsOf({ body }: Program): ReadonlyMap<string, Expression> {
  const constants = new Map<string, Expression>();
  for (const statement of body) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'const') continue;
    for (const { id, init } of declaration.declarations)
      if (id.type === 'Identifier' && init) constants.set(id.name, init);
  }
  return constants;
}
