import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../node_modules/.cache/peco-exp-tests/', import.meta.url));
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

/** TypeScript as JavaScript with its source map. What was compiled is named by the text and its place. */
export async function load(url, context, nextLoad) {
  if (languages.test(url)) return { format: 'module', source: english, shortCircuit: true };
  if (properties.test(url) && seed !== 'random') return withSeed(await nextLoad(url, context));
  if (!/^file:.*\.ts(\?|$)/.test(url)) return nextLoad(url, context);
  const file = fileURLToPath(url.replace(/\?.*$/, ''));
  const text = fs.readFileSync(file, 'utf8');
  const digest = createHash('sha256')
    .update(`${file}\0${JSON.stringify(options)}\0${text}`)
    .digest('hex');
  const kept = path.join(folder, `${digest}.mjs`);
  return { format: 'module', source: read(kept) ?? (await compile(file, text, kept)), shortCircuit: true };
}

function withSeed({ source, ...loaded }) {
  return { ...loaded, source: `${source}\nconfigureGlobal({ seed: ${Number(seed)} });\n` };
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
