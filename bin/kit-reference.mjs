/** What docs/reference/kit.md lists: every name that kit.ts exports, with the comment above its declaration. */
import fs from 'node:fs';
import path from 'node:path';
import { parseSync } from 'oxc-parser';

/** @throws Error that names an export without a comment */
export function formatKit(root) {
  const { text, staticExports, comments } = parse(path.join(root, 'kit.ts'));
  const sections = comments
    .filter(({ type, value }) => type === 'Line' && value.startsWith(' ## '))
    .map(({ value, start }) => ({ title: value.slice(4), start, entries: [] }));
  for (const { start, entries } of staticExports) {
    const section = sections.findLast((one) => one.start < start);
    for (const { exportName, importName, moduleRequest } of entries) {
      const file = path.join(root, moduleRequest.value);
      section.entries.push({ name: exportName.name, ...declarationOf(file, importName.name) });
    }
  }
  if (!text.includes(' ## ')) throw new Error('kit.ts has no sections');
  return sections.map(formatSection).join('\n\n');
}

function formatSection({ title, entries }) {
  const sorted = entries.sort((a, b) => Number(a.isType) - Number(b.isType) || (a.name < b.name ? -1 : 1));
  const rows = sorted.map(({ name, isType, parameters, comment }) => {
    const shown = parameters === undefined ? name : `${name}(${parameters.join(', ')})`;
    return `| \`${shown}\`${isType ? ' (type)' : ''} | ${comment.replaceAll('|', '\\|')} |`;
  });
  return [`## ${title}`, '', '| name | what it is |', '| --- | --- |', ...rows].join('\n');
}

const parsed = new Map();

function parse(file) {
  if (!parsed.has(file)) {
    const text = fs.readFileSync(file, 'utf8');
    const { program, module, comments } = parseSync(file, text);
    parsed.set(file, { text, program, comments, staticExports: module.staticExports });
  }
  return parsed.get(file);
}

function declarationOf(file, name) {
  const { text, program, comments } = parse(file);
  for (const statement of program.body) {
    if (statement.type !== 'ExportNamedDeclaration') continue;
    const { declaration, specifiers } = statement;
    const declared = declaration?.id ?? declaration?.declarations?.[0].id;
    if (declared?.name !== name && !specifiers.some(({ exported }) => exported.name === name)) continue;
    const comment = comments.findLast(({ type, value, start, end }) => {
      const isAbove = end <= statement.start && text.slice(end, statement.start).trim() === '';
      return isAbove && type === 'Block' && value.startsWith('*') && start >= 0;
    });
    if (!comment) throw new Error(`${file}: ${name} is in the kit, so it needs a comment`);
    return {
      isType: /^TS/.test(declaration?.type ?? ''),
      parameters: parametersOf(declaration),
      comment: firstParagraph(comment.value),
    };
  }
  throw new Error(`${file} declares no ${name}`);
}

/** A function's parameters as they are written; undefined for what is no function. */
function parametersOf(declaration) {
  const init = declaration?.declarations?.[0].init;
  const made = declaration?.type === 'FunctionDeclaration' ? declaration : init;
  if (!/Function/.test(made?.type ?? '')) return undefined;
  return made.params.map(showPattern);
}

function showPattern({ type, name, left, argument, properties = [], elements = [] }) {
  if (type === 'AssignmentPattern') return showPattern(left);
  if (type === 'RestElement') return `...${showPattern(argument)}`;
  if (type === 'ArrayPattern') return `[${elements.map(showPattern).join(', ')}]`;
  if (type !== 'ObjectPattern') return name;
  const keys = properties.map(({ key, argument }) => (argument ? '...' : key.name));
  return keys.length > 3 ? 'options' : `{ ${keys.join(', ')} }`;
}

/** Up to an empty line, a list or a tag, in one line. */
function firstParagraph(comment) {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*+ ?/, '').trim());
  const first = lines.findIndex((line) => line !== '');
  const rest = lines.slice(first);
  const end = rest.findIndex((line) => line === '' || /^(@|- )/.test(line));
  return rest
    .slice(0, end === -1 ? undefined : end)
    .join(' ')
    .trim();
}
