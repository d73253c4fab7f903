import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from 'oxc-parser';
import { PecoError } from '../stage/errors.ts';
import { createLooseNames } from './loose-names.ts';
import { createEvaluator, type Evaluate, isImportMeta, nameOf } from './own-place.ts';
import { loaderOf } from './script.ts';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

/** Of `node:module`, what loads nothing. */
const harmless: ReadonlySet<string> = new Set([
  'builtinModules',
  'findSourceMap',
  'isBuiltin',
  'SourceMap',
  'stripTypeScriptTypes',
]);

const importIt = 'import the file or the package itself: `import part from "./part.cjs"`';
const noKey = 'may load code that is in no key';

/** True for code that may name files in another way than by importing them. */
export function mayNameFiles(text: string): boolean {
  return /import\.meta|__(dir|file)name|\bimport\s*\(|\brequire\s*\(|getBuiltinModule|['"`](node:)?module['"`]/.test(
    text,
  );
}

/**
 * Files that code names by its own place: `new URL('./table.json', import.meta.url)` and other spellings that are made
 * of constants, absolute, whether or not they are there; where the place is passed on, all that may be meant. What is
 * named inside `defineComponent`, or by a constant that only those use, isn't meant: those are modules and files that
 * count by themselves.
 *
 * @throws PecoError `unknown-import` for code that may load modules of which nothing is known
 */
export async function findOwnFiles(file: string, text: string, cwd: string): Promise<readonly string[]> {
  const { parseSync } = await import('oxc-parser');
  // esbuild reports errors; some that this parser finds it allows, such as a CommonJS file that returns.
  const { program } = parseSync(file, text, { lang: loaderOf(file) });
  const evaluate = createEvaluator(program, file);
  const loose = createLooseNames(file, evaluate);
  const binds = new Set(namesBound(program));
  const ofComponents = constantsOfComponents(program);
  const found = new Set<string>();
  const refuse = (node: Node, what: string, hint: string): never => {
    const before = text.slice(0, node.start).split('\n');
    throw new PecoError(what, {
      code: 'unknown-import',
      hint,
      location: {
        file: path.relative(cwd, file).startsWith('..') ? file : path.relative(cwd, file),
        line: before.length,
        column: before.at(-1)!.length + 1,
      },
    });
  };
  visit(program as unknown as Node);
  return [...new Set([...found, ...loose.places()])].sort();

  function visit(node: Node): void {
    if (isComponentDefinition(node)) return;
    checkNode(node, { evaluate, refuse, isRequire: !binds.has('require') });
    const place = placeOf(evaluate(node), file);
    if (place !== undefined) {
      if (!ofComponents.has(node)) found.add(place);
      return;
    }
    loose.see(node);
    for (const child of childrenOf(node)) visit(child);
  }
}

interface Check {
  readonly evaluate: Evaluate;
  readonly refuse: (node: Node, what: string, hint: string) => never;
  /** False where the file has a `require` of its own. */
  readonly isRequire: boolean;
}

function checkNode(node: Node, { evaluate, refuse, isRequire }: Check): void {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      if (isModule(node.source) && !namesTaken(node)?.every((name) => harmless.has(name)))
        refuse(node, `${describeTaken(node)} ${noKey}`, importIt);
      return;
    case 'ImportExpression':
      if (isModule(node.source)) refuse(node, `node:module ${noKey}`, importIt);
      if (!isPlain(node.source as Node) && evaluate(node.source)?.own !== true)
        refuse(
          node,
          'only the run decides which module this imports, so its code is in no key',
          'import each module by its own name, and choose among what they export',
        );
      return;
    case 'CallExpression': {
      const [argument] = node.arguments as readonly Node[];
      const callee = node.callee as Node;
      if (isRequire && nameOf(callee) === 'require' && argument) {
        if (isModule(argument)) refuse(node, `node:module ${noKey}`, importIt);
        if (!isPlain(argument))
          refuse(node, 'only the run decides which module this requires, so its code is in no key', importIt);
      }
      return;
    }
    case 'MemberExpression': {
      const name = nameOf(node.property as Node);
      if (name === 'resolve' && isImportMeta(node.object as Node))
        refuse(node, `import.meta.resolve ${noKey}`, 'write new URL("./part.ts", import.meta.url).href');
      if (name === 'getBuiltinModule')
        refuse(node, `process.getBuiltinModule ${noKey}`, 'import the module by its name');
      return;
    }
    case 'Property':
      if (nameOf(node.key as Node) === 'getBuiltinModule')
        refuse(node, `process.getBuiltinModule ${noKey}`, 'import the module by its name');
  }
}

/** What esbuild follows: literals, choices between them, and patterns, which it names. */
function isPlain(node: Node): boolean {
  if (node.type === 'ConditionalExpression')
    return isPlain(node.consequent as Node) && isPlain(node.alternate as Node);
  if (node.type === 'ParenthesizedExpression') return isPlain(node.expression as Node);
  const start = startOf(node);
  return start !== undefined && (node.type === 'Literal' || isWhole(node) || /^\.{1,2}\//.test(start));
}

function isWhole(node: Node): boolean {
  return node.type === 'TemplateLiteral' && (node.expressions as readonly Node[]).length === 0;
}

/** The constant text that a string begins with. */
function startOf(node: Node): string | undefined {
  if (node.type === 'Literal') return nameOf(node);
  if (node.type === 'BinaryExpression' && node.operator === '+') return startOf(node.left as Node);
  if (node.type !== 'TemplateLiteral') return undefined;
  return (node.quasis as readonly { readonly value: { readonly cooked: string } }[])[0]?.value.cooked;
}

function isModule(source: unknown): boolean {
  const name = source ? startOf(source as Node) : undefined;
  return name === 'module' || name === 'node:module';
}

/** What an import or export takes of a module beside types: names, or undefined for all of it. */
function namesTaken(node: Node): readonly string[] | undefined {
  if (node.importKind === 'type' || node.exportKind === 'type') return [];
  const specifiers = node.specifiers as readonly Node[] | undefined;
  const names = specifiers?.flatMap((one) => {
    if (one.importKind === 'type' || one.exportKind === 'type') return [];
    const taken = one.imported ?? (node.type === 'ExportNamedDeclaration' ? one.local : undefined);
    return [taken ? nameOf(taken as Node) : undefined];
  });
  return names?.every((name) => name !== undefined) ? (names as string[]) : undefined;
}

function describeTaken(node: Node): string {
  const names = namesTaken(node)?.filter((name) => !harmless.has(name));
  return names ? `${names.join(' and ')} of node:module` : 'node:module';
}

function isComponentDefinition(node: Node): boolean {
  return node.type === 'CallExpression' && nameOf(node.callee as Node) === 'defineComponent';
}

/** Names and values of constants of a file that are used inside `defineComponent` alone, as in `defineComponent({ run, load })`. */
function constantsOfComponents({ body }: Program): ReadonlySet<Node> {
  const constants = new Map<string, { readonly id: Node; readonly init: Node }>();
  const rest: Node[] = [];
  for (const statement of body as unknown as readonly Node[]) {
    if (statement.type !== 'VariableDeclaration' || statement.kind !== 'const') rest.push(statement);
    else
      for (const { id, init } of statement.declarations as readonly { id: Node; init?: Node }[]) {
        const name = nameOf(id);
        if (name === undefined) rest.push(id);
        else if (init) constants.set(name, { id, init });
      }
  }
  // A name in any other place counts as a use, whatever it means there.
  const todo = [...rest, ...[...constants.values()].map(({ init }) => init)];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (isComponentDefinition(node)) continue;
    if (node.type === 'Identifier') constants.delete(nameOf(node)!);
    todo.push(...childrenOf(node));
  }
  return new Set([...constants.values()].flatMap(({ id, init }) => [id, init]));
}

/** The file that a text made of the file's own place names; not the file itself, nor the folder that it is in. */
function placeOf(constant: ReturnType<Evaluate>, file: string): string | undefined {
  if (!constant?.own) return undefined;
  try {
    const place = constant.text.startsWith('file:') ? fileURLToPath(constant.text) : constant.text;
    return path.isAbsolute(place) && place !== file && place !== path.dirname(file)
      ? path.resolve(place)
      : undefined;
  } catch {
    return undefined;
  }
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((value): value is Node => typeof (value as Node | null)?.type === 'string');
}

/** Names that are declared anywhere in a file. */
function* namesBound(program: Program): Iterable<string> {
  const todo: Node[] = [program as unknown as Node];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    const ids = [
      ...(node.type === 'VariableDeclarator' || /^(Function|Class)/.test(node.type) ? [node.id] : []),
      ...(Array.isArray(node.params) ? (node.params as unknown[]) : []),
      ...(/^Import.*Specifier$/.test(node.type) ? [node.local] : []),
    ];
    for (const id of ids) {
      const name = id ? nameOf(id as Node) : undefined;
      if (name !== undefined) yield name;
    }
    todo.push(...childrenOf(node));
  }
}
