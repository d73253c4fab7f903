import fs from 'node:fs';
import path from 'node:path';
import type {
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
    return locationOf(follow({ source, node: start, value: start }, field, read, 0), cwd);
  };
}

type Read = (file: string) => SourceFile | undefined;

/** As far along the path as the source can be read. */
function follow(place: Place, field: ConfigPath, read: Read, depth: number): Place {
  const [key, ...rest] = field;
  if (key === undefined || depth > 50) return place;
  const next = stepInto(place, key, read, depth);
  if (next) return follow(next, rest, read, depth + 1);
  // A field that is missing: the object that lacks it, wherever that is written.
  const resolved = place.value && resolve(place.source, place.value, read, depth);
  return resolved?.value?.type === 'ObjectExpression' ? resolved : place;
}

function stepInto(place: Place, key: string | number, read: Read, depth: number): Place | undefined {
  const resolved = place.value && resolve(place.source, place.value, read, depth);
  if (!resolved?.value) return undefined;
  const { source, value } = resolved;
  if (value.type === 'CallExpression') {
    const argument = value.arguments[0];
    if (!argument || argument.type === 'SpreadElement') return undefined;
    return stepInto({ source, node: argument, value: argument }, key, read, depth + 1);
  }
  if (value.type === 'ArrayExpression') {
    const item = value.elements[Number(key)];
    return item && item.type !== 'SpreadElement' ? { source, node: item, value: item } : undefined;
  }
  return value.type === 'ObjectExpression' ? findProperty(source, value, key, read, depth) : undefined;
}

function findProperty(
  source: SourceFile,
  object: ObjectExpression,
  key: string | number,
  read: Read,
  depth: number,
): Place | undefined {
  // Later members win over earlier ones.
  for (const member of object.properties.toReversed()) {
    if (member.type === 'SpreadElement') {
      const spread = stepInto({ source, node: member, value: member.argument }, key, read, depth + 1);
      if (spread) return spread;
    } else if (nameOf(member) === String(key)) {
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
      const found = key === undefined ? undefined : stepInto(object, key, read, depth + 1);
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
    return undefined; // the error is told without a place
  }
}

function locationOf(place: Place, cwd: string): SourceLocation {
  const before = place.source.text.slice(0, place.node.start).split('\n');
  const relative = path.relative(cwd, place.source.file);
  const file = relative.startsWith('..') ? place.source.file : relative;
  return { file, line: before.length, column: before.at(-1)!.length + 1 };
}
