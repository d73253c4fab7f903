/**
 * Writes docs/reference/commands.md from the command line's own help, and docs/reference/report.schema.json from the
 * schema of report.json: `node bin/docs.mjs`. With `--check` it writes nothing and exits with code 1 if the first says
 * something else; a test calls that.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const file = path.join(root, 'docs/reference/commands.md');
const start = '<!-- help: written by bin/docs.mjs -->';
const end = '<!-- end of help -->';

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

/** Of report.json, as the sources have it. */
async function writeSchema() {
  const { build } = await import('esbuild');
  const module = path.join(root, 'node_modules/.cache/peco-exp/report-schema.mjs');
  await build({
    entryPoints: [path.join(root, 'reports/formats/json-schema.ts')],
    outfile: module,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
  });
  const { reportJsonSchema } = await import(pathToFileURL(module).href);
  const schema = path.join(root, 'docs/reference/report.schema.json');
  fs.writeFileSync(schema, `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
}

const text = fs.readFileSync(file, 'utf8');
const [from, to] = [text.indexOf(start), text.indexOf(end)];
if (from < 0 || to < from) throw new Error(`${file} has no part between "${start}" and "${end}"`);
const current = `${text.slice(0, from)}${start}\n\n${await formatHelp()}\n\n${text.slice(to)}`;
if (!process.argv.includes('--check')) {
  fs.writeFileSync(file, current);
  await writeSchema();
} else if (current !== text) {
  process.stderr.write('docs/reference/commands.md is out of date: node bin/docs.mjs\n');
  process.exitCode = 1;
}
