import fs from 'node:fs';
import path from 'node:path';
import type {
  CallExpression,
  Expression,
  ImportDeclaration,
  ObjectExpression,
  ObjectProperty,
  Program,
  PropertyKey,
  Statement,
} from 'oxc-parser';
import { parseSync } from 'oxc-parser';
import type { SourceLocation } from '../stage/errors.ts';

type ConfigPath = readonly (string | number)[];

interface SourceFile {
  readonly file: string;
  readonly text: string;
  readonly program: Program;
}

/** An expression or a property, with the file it is in. */
interface Place {
  readonly source: SourceFile;
  readonly node: { readonly start: number };
  readonly value?: Expression;
  /** Keys of the path that led here, if more than one. */
  readonly taken?: number;
}

/**
 * Finds fields of an experiment in its source, by reading and not by running it: follows object literals, the first
 * argument of calls, constants, spreads, member accesses and imports of other project files. Where that ends (a loop,
 * a computed name), the nearest enclosing expression is the answer.
 */
export function createLocator(file: string, cwd: string): (field: ConfigPath) => SourceLocation | undefined {
  const files = new Map<string, SourceFile | undefined>();
  const read = (name: string): SourceFile | undefined => {
    if (!files.has(name)) files.set(name, parseFile(name));
    return files.get(name);
  };
  return (field) => {
    const source = read(file);
    const start = source && findExport(source, 'default');
    if (!source || !start) return undefined;
    const [group, path, value] = field;
    const isSwept = group === 'sweep' && path !== undefined;
    const place = follow({ source, node: start, value: start }, isSwept ? [group] : field, read, 0);
    return locationOf((isSwept && findSwept(place, String(path), value)) || place, cwd);
  };
}

type Read = (file: string) => SourceFile | undefined;

/** As far along the path as the source can be read. */
function follow(place: Place, field: ConfigPath, read: Read, depth: number): Place {
  if (field.length === 0 || depth > 50) return place;
  const next = stepInto(place, field, read, depth);
  if (next) return follow(next, field.slice(next.taken ?? 1), read, depth + 1);
  // A field that is missing: the object that lacks it, wherever that is written.
  const resolved = place.value && resolve(place.source, place.value, read, depth);
  return resolved?.value?.type === 'ObjectExpression' ? resolved : place;
}

function stepInto(place: Place, field: ConfigPath, read: Read, depth: number): Place | undefined {
  const key = field[0];
  const resolved = place.value && resolve(place.source, place.value, read, depth);
  if (!resolved?.value) return undefined;
  const { source, value } = resolved;
  if (value.type === 'CallExpression') {
    const [argument, changes] = value.arguments;
    if (!argument || argument.type === 'SpreadElement') return undefined;
    const overridden = nameOfCallee(value.callee) === 'override' && findChange(source, changes, field);
    return overridden || stepInto({ source, node: argument, value: argument }, field, read, depth + 1);
  }
  if (value.type === 'ArrayExpression') {
    const item = value.elements[Number(key)];
    return item && item.type !== 'SpreadElement' ? { source, node: item, value: item } : undefined;
  }
  return value.type === 'ObjectExpression' ? findProperty(source, value, field, read, depth) : undefined;
}

/** The property of `override(base, { 'a.b.c': 1 })` that sets a field. */
function findChange(
  source: SourceFile,
  changes: CallExpression['arguments'][number] | undefined,
  field: ConfigPath,
): Place | undefined {
  if (changes?.type !== 'ObjectExpression') return undefined;
  for (const member of changes.properties.toReversed()) {
    const name = member.type === 'SpreadElement' ? undefined : nameOf(member);
    const taken = name?.split('.').length ?? 0;
    if (member.type === 'SpreadElement' || name !== field.slice(0, taken).join('.')) continue;
    return { source, node: member, value: member.value, taken };
  }
  return undefined;
}

/** The property in the expression of a sweep that has a path for its name, or the value in its list. */
function findSwept({ source, node, value: start }: Place, path: string, value: unknown): Place | undefined {
  const todo: unknown[] = [start ?? node];
  for (let at = todo.shift(); at !== undefined; at = todo.shift()) {
    if (typeof at !== 'object' || at === null) continue;
    const member = at as ObjectProperty;
    if (member.type === 'Property' && nameOf(member) === path) {
      const items = member.value.type === 'ArrayExpression' ? member.value.elements : [member.value];
      const item = items.find((one) => one?.type === 'Literal' && one.value === value);
      return { source, node: item ?? member };
    }
    todo.push(...Object.values(at));
  }
  return undefined;
}

function nameOfCallee(callee: Expression): string | undefined {
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
    ? callee.property.name
    : undefined;
}

function findProperty(
  source: SourceFile,
  object: ObjectExpression,
  field: ConfigPath,
  read: Read,
  depth: number,
): Place | undefined {
  // Later members win over earlier ones.
  for (const member of object.properties.toReversed()) {
    if (member.type === 'SpreadElement') {
      const spread = stepInto({ source, node: member, value: member.argument }, field, read, depth + 1);
      if (spread) return spread;
    } else if (nameOf(member) === String(field[0])) {
      return { source, node: member, value: member.value };
    }
  }
  return undefined;
}

/** Goes through names, wrappers and member accesses to the expression that says the value. */
function resolve(source: SourceFile, expression: Expression, read: Read, depth: number): Place | undefined {
  if (depth > 50) return undefined;
  switch (expression.type) {
    case 'ParenthesizedExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
      return resolve(source, expression.expression, read, depth + 1);
    case 'Identifier': {
      const declared = findDeclaration(source, expression.name, read);
      return declared?.value && resolve(declared.source, declared.value, read, depth + 1);
    }
    case 'MemberExpression': {
      const property = expression.property;
      const key =
        property.type === 'Identifier' && !expression.computed ? property.name : literalOf(property);
      const object = { source, node: expression.object, value: expression.object };
      const found = key === undefined ? undefined : stepInto(object, [key], read, depth + 1);
      return found?.value && resolve(found.source, found.value, read, depth + 1);
    }
    default:
      return { source, node: expression, value: expression };
  }
}

function findDeclaration(source: SourceFile, name: string, read: Read): Place | undefined {
  for (const statement of source.program.body) {
    const value = declaredIn(statement, name);
    if (value) return { source, node: value, value };
    if (statement.type === 'ImportDeclaration') {
      const imported = importedAs(statement, name);
      const other = imported && read(path.resolve(path.dirname(source.file), statement.source.value));
      const exported = other && findExport(other, imported);
      if (other && exported) return { source: other, node: exported, value: exported };
    }
  }
  return undefined;
}

function declaredIn(statement: Statement | Program['body'][number], name: string): Expression | undefined {
  const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
  if (declaration?.type !== 'VariableDeclaration') return undefined;
  for (const { id, init } of declaration.declarations) {
    if (id.type === 'Identifier' && id.name === name && init) return init;
  }
  return undefined;
}

function importedAs(statement: ImportDeclaration, name: string): string | undefined {
  if (!statement.source.value.startsWith('.')) return undefined;
  for (const specifier of statement.specifiers) {
    if (specifier.local.name !== name) continue;
    if (specifier.type === 'ImportDefaultSpecifier') return 'default';
    if (specifier.type === 'ImportSpecifier') {
      return specifier.imported.type === 'Literal' ? specifier.imported.value : specifier.imported.name;
    }
  }
  return undefined;
}

function findExport(source: SourceFile, name: string): Expression | undefined {
  for (const statement of source.program.body) {
    if (name === 'default' && statement.type === 'ExportDefaultDeclaration') {
      const { declaration } = statement;
      const isExpression = !/Declaration$|^FunctionExpression$|^ClassExpression$/.test(declaration.type);
      return isExpression ? (declaration as Expression) : undefined;
    }
    const value = statement.type === 'ExportNamedDeclaration' ? declaredIn(statement, name) : undefined;
    if (value) return value;
  }
  return undefined;
}

function nameOf(property: ObjectProperty): string | undefined {
  const { key, computed } = property;
  if (key.type === 'Identifier' && !computed) return key.name;
  return literalOf(key);
}

function literalOf(node: PropertyKey | Expression): string | undefined {
  return node.type === 'Literal' && (typeof node.value === 'string' || typeof node.value === 'number')
    ? String(node.value)
    : undefined;
}

function parseFile(file: string): SourceFile | undefined {
  try {
    const text = fs.readFileSync(file, 'utf8');
    return { file, text, program: parseSync(file, text).program };
  } catch {
    return undefined; // the error has no place
  }
}

function locationOf(place: Place, cwd: string): SourceLocation {
  const before = place.source.text.slice(0, place.node.start).split('\n');
  const relative = path.relative(cwd, place.source.file);
  const file = relative.startsWith('..') ? place.source.file : relative;
  return { file, line: before.length, column: before.at(-1)!.length + 1 };
}
