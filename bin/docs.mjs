/**
 * Writes docs/reference/commands.md from the command line's own help, kit.md from what kit.ts exports, components.md from
 * schemas and comments, report.schema.json and schemas/ from the schemas of what is JSON: `node bin/docs.mjs`. With `--check` it
 * writes nothing and exits with code 1 if one of the first two pages says something else; a test calls that.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { importSource } from './import-source.mjs';
import { formatKit } from './kit-reference.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

async function helpOf(...command) {
  const script = path.join(root, 'bin/peco-exp.js');
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...command, '--help']);
  return stdout.trimEnd();
}

/** The help of peco-exp, then that of each command that it lists. */
async function formatHelp() {
  const top = await helpOf();
  const names = [...top.slice(top.indexOf('\nCommands:')).matchAll(/^ {2}(\w[\w-]*)/gm)].map(
    ([, name]) => name,
  );
  const helps = await Promise.all(names.map((name) => helpOf(name)));
  const parts = [['peco-exp', top], ...names.map((name, index) => [`peco-exp ${name}`, helps[index]])];
  return parts.map(([title, help]) => `## ${title}\n\n\`\`\`\n${help}\n\`\`\``).join('\n\n');
}

/** Of report.json, and of what commands print with --json. */
async function writeSchemas() {
  const { reportJsonSchema } = await importSource('reports/formats/json-schema.ts');
  const { jsonSchemaOf, schemas } = await importSource('framework/cli/json/schemas.ts');
  const folder = path.join(root, 'docs/reference');
  const files = { 'report.schema.json': reportJsonSchema() };
  for (const name of Object.keys(schemas)) files[`schemas/${name}.schema.json`] = jsonSchemaOf(name);
  fs.rmSync(path.join(folder, 'schemas'), { recursive: true, force: true });
  fs.mkdirSync(path.join(folder, 'schemas'));
  const names = Object.keys(files).map((name) => path.join(folder, name));
  for (const [name, schema] of Object.entries(files))
    fs.writeFileSync(path.join(folder, name), `${JSON.stringify(schema, null, 2)}\n`);
  // As all JSON files are formatted.
  await promisify(execFile)(path.join(root, 'node_modules/.bin/biome'), ['format', '--write', ...names]);
}

async function writeComponents() {
  const { componentsPage } = await importSource('framework/cli/text/describe.ts');
  const script = path.join(root, 'bin/peco-exp.js');
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'describe', '--json'], {
    maxBuffer: 2 ** 26,
  });
  const page = componentsPage(JSON.parse(stdout).components);
  fs.writeFileSync(path.join(root, 'docs/reference/components.md'), page);
}

/** Pages of docs/reference/ with the part that is written, between two lines that name it. */
const pages = [
  { file: 'commands.md', part: 'help', format: formatHelp },
  { file: 'kit.md', part: 'kit', format: () => formatKit(root) },
];

for (const { file, part, format } of pages) {
  const place = path.join(root, 'docs/reference', file);
  const [start, end] = [`<!-- ${part}: written by bin/docs.mjs -->`, `<!-- end of ${part} -->`];
  const text = fs.readFileSync(place, 'utf8');
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${place} has no part between "${start}" and "${end}"`);
  const current = `${text.slice(0, from)}${start}\n\n${await format()}\n\n${text.slice(to)}`;
  if (!process.argv.includes('--check')) fs.writeFileSync(place, current);
  else if (current !== text) {
    process.stderr.write(`docs/reference/${file} is out of date: node bin/docs.mjs\n`);
    process.exitCode = 1;
  }
}
if (!process.argv.includes('--check')) {
  await writeSchemas();
  await writeComponents();
}
