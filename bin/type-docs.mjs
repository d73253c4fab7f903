/**
 * Puts the comments of config fields and their defaults into dist/types: what the compiler infers of a schema has neither,
 * so editors would show nothing in a project that installs the package. `npm run build` calls it after the compiler.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { parseSync } from 'oxc-parser';
import { importSource } from './import-source.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** What `peco-exp describe` says of each constructor, with the declaration file that it is in. */
async function describedComponents() {
  const script = path.join(root, 'bin/peco-exp.js');
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'describe', '--json'], {
    maxBuffer: 2 ** 26,
  });
  const { DocReader } = await importSource('framework/code/field-docs.ts');
  const reader = new DocReader();
  const files = await reader.exportsOf(path.join(root, 'index.ts'));
  const described = JSON.parse(stdout).components.map(({ name, fields }) => ({
    file: files.get(name),
    fields,
  }));
  return [...described, await describedBackbone(reader)];
}

/** `vit` makes a value and no component, so `describe` lists it nowhere. */
async function describedBackbone(reader) {
  const file = path.join(root, 'components/backbone/config.ts');
  const { describeFields } = await importSource('framework/stage/fields.ts');
  const { vitSchema } = await importSource('components/backbone/config.ts');
  const { docOf } = await reader.docsOf(file);
  return { file, fields: describeFields(vitSchema, docOf) };
}

/** A declaration file with the comments of these fields above them, wherever a type has them. */
export function withFieldComments(text, fields) {
  const byPath = new Map(fields.map((field) => [pathIn(field), field]));
  const { program, comments } = parseSync('config.d.ts', text, { lang: 'dts' });
  const commented = new Set(comments.map(({ end }) => end + /^\s*/.exec(text.slice(end))[0].length));
  const edits = new Map();
  visit(program, '');
  let edited = text;
  for (const [at, comment] of [...edits].sort(([a], [b]) => b - a))
    edited = edited.slice(0, at) + comment + edited.slice(at);
  return edited;

  /** @param above path of the field whose type it is, with a dot behind it */
  function visit(node, above) {
    if (node.type === 'TSTypeLiteral' || node.type === 'TSInterfaceBody') {
      const members = node.members ?? node.body;
      const named = members.filter((member) => member.type === 'TSPropertySignature' && !member.computed);
      // Another type may have a field of the same name, but hardly all of them.
      const isConfig = named.length > 0 && named.every(({ key }) => byPath.has(above + nameOf(key)));
      for (const member of members) {
        const field = isConfig && named.includes(member) ? byPath.get(above + nameOf(member.key)) : undefined;
        if (field && !commented.has(member.start)) note(member.start, field);
        visitChildren(member, field ? `${pathIn(field)}.` : above);
      }
    } else visitChildren(node, above);
  }

  function visitChildren(node, above) {
    for (const value of Object.values(node))
      for (const one of Array.isArray(value) ? value : [value])
        if (typeof one?.type === 'string') visit(one, above);
  }

  function note(at, field) {
    const lines = linesOf(field);
    if (lines.length === 0) return;
    const indent = ' '.repeat(at - text.lastIndexOf('\n', at - 1) - 1);
    const comment =
      lines.length === 1
        ? `/** ${lines[0]} */`
        : ['/**', ...lines.map((line) => ` * ${line}`), ' */'].join(`\n${indent}`);
    edits.set(at, `${comment}\n${indent}`);
  }
}

/** In a type, a list is between its field and the fields of its elements, with no name. */
function pathIn({ path: field }) {
  return field.replaceAll('[]', '');
}

function nameOf({ name, value }) {
  return name ?? value;
}

function linesOf({ doc, default: value }) {
  return [
    // Nothing in it may end the comment.
    ...(doc === undefined ? [] : doc.replaceAll('*/', '* /').split('\n')),
    ...(value === undefined ? [] : [`@default ${JSON.stringify(value)}`]),
  ];
}

async function main() {
  let count = 0;
  for (const { file, fields } of await describedComponents()) {
    const declarations = path.join(root, 'dist/types', path.relative(root, file).replace(/\.ts$/, '.d.ts'));
    const text = fs.readFileSync(declarations, 'utf8');
    const commented = withFieldComments(text, fields);
    if (commented !== text) count++;
    fs.writeFileSync(declarations, commented);
  }
  process.stdout.write(`comments of fields are in ${count} declaration files\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) await main();
