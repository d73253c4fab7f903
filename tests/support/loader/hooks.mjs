import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../node_modules/.cache/peco-exp-tests/', import.meta.url));
const sources = new URL('../../../', import.meta.url).href;
const options = {
  loader: 'ts',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  sourcesContent: false,
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, target: 'ES2022' } },
};
let esbuild;

/** zod has its messages in some sixty languages, a module each. Tests read English. */
const languages = /\/node_modules\/zod\/v4\/locales\/index\.js$/;
const english = "export { default as en } from './en.js';\n";

/**
 * Property tests draw the same cases in each run, so that one that is green here is green elsewhere. `PECO_TEST_SEED` is
 * another seed; `random` draws others each time.
 */
const properties = /\/node_modules\/fast-check\/lib\/fast-check\.js$/;
const { PECO_TEST_SEED: seed = '1' } = process.env;

/** A megabyte of CommonJS, in all of which Node would look for names that it exports, in each process. */
const library = /\/node_modules\/@tensorflow\/tfjs-[\w-]+\/dist\/[\w.-]+\.node\.js$/;

/** Imports between sources are written with `.ts`: there is nothing to look for. */
export function resolve(specifier, context, nextResolve) {
  const { parentURL } = context;
  const isSource =
    specifier.startsWith('.') &&
    specifier.endsWith('.ts') &&
    parentURL?.startsWith(sources) &&
    !parentURL.includes('/node_modules/');
  if (!isSource) return nextResolve(specifier, context);
  return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true };
}

/** TypeScript as JavaScript with its source map. What was compiled is named by the text and its place. */
export async function load(url, context, nextLoad) {
  if (languages.test(url)) return { format: 'module', source: english, shortCircuit: true };
  if (properties.test(url) && seed !== 'random') return withSeed(await nextLoad(url, context));
  if (library.test(url)) return { format: 'module', source: namesOf(fileURLToPath(url)), shortCircuit: true };
  if (!/^file:.*\.ts(\?|$)/.test(url)) return nextLoad(url, context);
  const file = fileURLToPath(url.replace(/\?.*$/, ''));
  const text = fs.readFileSync(file, 'utf8');
  const kept = keptAt(`${file}\0${JSON.stringify(options)}\0${text}`);
  return { format: 'module', source: read(kept) ?? (await compile(file, text, kept)), shortCircuit: true };
}

function withSeed({ source, ...loaded }) {
  return { ...loaded, source: `${source}\nconfigureGlobal({ seed: ${Number(seed)} });\n` };
}

/** A module of the names that a library exports; they are looked up once. */
function namesOf(file) {
  const { size, mtimeMs } = fs.statSync(file);
  const kept = keptAt(`${file}\0${size} ${mtimeMs}`);
  const known = read(kept);
  if (known !== undefined) return known;
  const names = Object.keys(createRequire(file)(file)).filter((name) => name !== 'default');
  const source = [
    "import { createRequire } from 'node:module';",
    `const $ = createRequire(import.meta.url)(${JSON.stringify(file)});`,
    'export default $;',
    ...names.map((name, n) => `const $${n} = $.${name}; export { $${n} as ${name} };`),
  ].join('\n');
  keep(kept, source);
  return source;
}

function keptAt(text) {
  return path.join(folder, `${createHash('sha256').update(text).digest('hex')}.mjs`);
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function compile(file, text, kept) {
  esbuild ??= await import('esbuild');
  const { code } = await esbuild.transform(text, { ...options, sourcefile: file });
  keep(kept, code);
  return code;
}

/** Packages may be another user's, and a disk full: then it is compiled again. */
function keep(file, code) {
  const part = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(part, code);
    fs.renameSync(part, file);
  } catch {
    fs.rmSync(part, { force: true });
  }
}
