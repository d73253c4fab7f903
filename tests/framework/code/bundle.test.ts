import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { bundleModules } from '../../../framework/code/bundle.ts';
import { loadBundles } from '../../../framework/code/stored-bundles.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { createProject, portable, repository } from '../../support/project.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test.serial(
  'the digest of a source is that of the text that was bundled, though it is edited meanwhile',
  async (t) => {
    const project = createProject(t, {
      'entry.ts': "export { value } from './value.ts';\n",
      'value.ts': 'export const value = 1;\n',
    });
    const [entry, value] = [project.file('entry.ts'), project.file('value.ts')];
    const readFile = fs.promises.readFile;
    fs.promises.readFile = (async (file: string, ...rest: []) => {
      const bytes = await readFile(file, ...rest);
      if (file === value) fs.writeFileSync(value, 'export const value = 2;\n');
      return bytes;
    }) as typeof readFile;
    const bundles = await bundleModules([entry], project.dir).finally(() => {
      fs.promises.readFile = readFile;
    });
    const { text, sources } = bundles.get(entry)!;
    t.regex(text, /value = 1/);
    t.is(sources[value], sha256('export const value = 1;\n'));
    // So the next look finds that the bundle isn't of the file as it is.
    const stored = (await loadBundles([entry], project.dir)).get(entry)!;
    t.regex(fs.readFileSync(stored.path, 'utf8'), /value = 2/);
  },
);

test('what a module imports of Node itself is listed, and what peco-exp imports is not', async (t) => {
  const project = createProject(t, {
    'entry.ts':
      "import { readFileSync } from 'node:fs';\nimport './other.ts';\nexport const read = readFileSync;\n",
    'other.ts': "import path from 'path';\nexport const join = path.join;\n",
  });
  const entry = project.file('entry.ts');
  t.deepEqual((await bundleModules([entry], project.dir)).get(entry)!.builtins, ['fs', 'path']);
});

test('a bundle that was damaged in the cache is made again', async (t) => {
  const project = createProject(t, { 'entry.ts': 'export const value = 1;\n' });
  const entry = project.file('entry.ts');
  const load = async () => (await loadBundles([entry], project.dir)).get(entry)!;
  const { path, digest } = await load();
  const whole = fs.readFileSync(path, 'utf8');
  t.is(digest, sha256(whole));
  for (const damage of [
    () => fs.truncateSync(path),
    () => fs.writeFileSync(path, whole.replace('value = 1', 'value = 9')),
    () => fs.rmSync(path),
  ]) {
    damage();
    await load();
    t.is(fs.readFileSync(path, 'utf8'), whole);
  }
});

test('a path that esbuild or Node would take for something else is refused by name', async (t) => {
  const { dir, file, write } = createProject(t, {});
  for (const name of ['a*b/entry.ts', 'a\\b/entry.ts', 'c*.ts']) {
    write({ [name]: 'export {};\n' });
    const error = await t.throwsAsync(bundleModules([file(name)], dir), { code: 'missing-module' });
    t.true(error.message.includes(JSON.stringify(file(name))), error.message);
  }
});

test('an import whose file only the run decides is refused, with its place', async (t) => {
  const project = createProject(t, {
    'entry.ts': `const name = process.argv[2];\n\nexport const part = await import('./parts/' + name + '.ts');\n`,
    'parts/one.ts': 'export const value = 1;\n',
  });
  const error = await t.throwsAsync(bundleModules([project.file('entry.ts')], project.dir));
  t.snapshot(portable(formatError(error), project));
});

test('the source map of a bundle names the sources where they are', async (t) => {
  const project = createProject(t, {
    'folder/entry.ts': "export { value } from '../value.ts';\n",
    'value.ts': 'export const value = 1;\n',
  });
  const entry = project.file('folder/entry.ts');
  const { path } = (await loadBundles([entry], project.dir)).get(entry)!;
  const name = /\/\/# sourceMappingURL=(.+)\n$/.exec(fs.readFileSync(path, 'utf8'))![1]!;
  const map = JSON.parse(fs.readFileSync(path.replace(/[^/]+$/, name), 'utf8'));
  t.true(map.sources.includes(project.file('value.ts')));
});

test('files that begin with a byte order mark are read as Node reads them', async (t) => {
  const project = createProject(t, {
    'entry.ts':
      "\uFEFF#!/usr/bin/env node\nimport table from './table.json';\nexport const found = [import.meta.url, table];\n",
    'table.json': '\uFEFF{ "rows": 2 }',
  });
  const entry = project.file('entry.ts');
  const { path } = (await loadBundles([entry], project.dir)).get(entry)!;
  const { found } = (await import(path)) as { readonly found: unknown };
  t.deepEqual(found, [pathToFileURL(entry).href, { rows: 2 }]);
});

test('CommonJS that is bundled still gets modules of Node and packages by require', async (t) => {
  const project = createProject(t, {
    'entry.ts': "import own from './own.cjs';\nexport const found = own;\n",
    'own.cjs': "module.exports = [require('path').sep, typeof require('zod').z];\n",
  });
  const entry = project.file('entry.ts');
  const { path, packages } = (await loadBundles([entry], project.dir)).get(entry)!;
  const { found } = (await import(path)) as { readonly found: unknown };
  t.deepEqual(found, ['/', 'object']);
  t.deepEqual(
    packages.map(({ specifier }) => specifier),
    ['zod'],
  );
});

test('a file that an import prefers is taken as soon as it is there, whatever the cache holds', async (t) => {
  const project = createProject(t, {
    'entry.ts': "export { name } from './names';\n",
    'names/index.ts': "export const name = 'folder';\n",
  });
  const entry = project.file('entry.ts');
  const text = async () =>
    fs.readFileSync((await loadBundles([entry], project.dir)).get(entry)!.path, 'utf8');
  t.regex(await text(), /'folder'|"folder"/);
  project.write({ 'names.ts': "export const name = 'file';\n" });
  t.regex(await text(), /'file'|"file"/);
  project.remove('names.ts');
  t.regex(await text(), /'folder'|"folder"/);
});

test('a name leads from each folder where it leads from there', async (t) => {
  const code = 'export const value = 1;\n';
  const exported = (folder: string) => ({
    [`${folder}/node_modules/p/package.json`]:
      '{ "name": "p", "version": "1.0.0", "exports": { "import": "./index.mjs", "require": "./index.cjs" } }',
    [`${folder}/node_modules/p/index.mjs`]: code,
    [`${folder}/node_modules/p/index.cjs`]: 'exports.value = 1;\n',
  });
  const imports = "export { value } from 'p';\nexport { value as other } from '#own';\n";
  const importers = ['x', 'plain/x', 'nested/x', 'nested/deep/x', 'mapped/x', 'mapped/deep/x', 'named/x'];
  const project = createProject(t, {
    'package.json': '{ "type": "module", "imports": { "#own": "./own.ts" } }',
    'own.ts': code,
    ...exported('.'),
    ...exported('nested'),
    'mapped/tsconfig.json': '{ "compilerOptions": { "paths": { "p": ["./p.ts"] } } }',
    'mapped/p.ts': code,
    'named/package.json': '{ "imports": { "#own": "./own.ts" } }',
    'named/own.ts': code,
    'nested/deep/y.cjs': "exports.value = require('p').value;\n",
    ...Object.fromEntries(importers.map((name) => [`${name}.ts`, imports])),
    'entry.ts': ['nested/deep/y.cjs', ...importers.map((name) => `${name}.ts`)]
      .map((name) => `import './${name}';\n`)
      .join(''),
  });
  const entry = project.file('entry.ts');
  const { aliases } = (await bundleModules([entry], project.dir)).get(entry)!;
  const leads = aliases.map(({ importer, specifier, file }) => {
    const [from, to] = [importer, file].map((place) => path.relative(project.dir, place));
    return `${specifier} in ${from}: ${to}`;
  });
  t.deepEqual(leads.sort(), [
    '#own in mapped/deep/x.ts: own.ts',
    '#own in mapped/x.ts: own.ts',
    '#own in named/x.ts: named/own.ts',
    '#own in nested/deep/x.ts: own.ts',
    '#own in nested/x.ts: own.ts',
    '#own in plain/x.ts: own.ts',
    '#own in x.ts: own.ts',
    'p in mapped/deep/x.ts: mapped/p.ts',
    'p in mapped/x.ts: mapped/p.ts',
    'p in named/x.ts: node_modules/p/index.mjs',
    'p in nested/deep/x.ts: nested/node_modules/p/index.mjs',
    'p in nested/deep/y.cjs: nested/node_modules/p/index.cjs',
    'p in nested/x.ts: nested/node_modules/p/index.mjs',
    'p in plain/x.ts: node_modules/p/index.mjs',
    'p in x.ts: node_modules/p/index.mjs',
  ]);
});

test('of the kit only what a module takes counts, with all that this imports', async (t) => {
  const project = createProject(t, {
    'load.ts':
      "import { loadTree } from 'peco-exp/kit';\nexport const load = () => loadTree('weights.safetensors');\n",
    'stage.ts': "import { fit } from 'peco-exp/kit';\nexport const run = fit;\n",
    // Code of another thread, which is only named here.
    'named.ts': "export const place = new URL('./thread.ts', import.meta.url);\n",
    'thread.ts': "import { tf } from 'peco-exp/kit';\nexport const zero = tf.scalar(0);\n",
  });
  fs.symlinkSync(repository, project.file('node_modules/peco-exp'));
  const names = ['load.ts', 'stage.ts', 'named.ts'].map((name) => project.file(name));
  const bundles = await bundleModules(names, project.dir);
  const [load, stage, named] = names.map((name) => {
    const { sources, packages } = bundles.get(name)!;
    const files = Object.keys(sources).map((file) => path.relative(repository, file));
    return { files: files.filter((file) => !file.startsWith('..')), packages };
  });
  t.true(load!.files.includes('kit.ts') && load!.files.includes('components/weights/safetensors.ts'));
  t.false(
    load!.files.some((file) => /^components\/(training|engine|data)\//.test(file)),
    String(load!.files),
  );
  t.deepEqual(load!.packages, []);
  t.true(stage!.files.includes('components/training/loop.ts'), 'what the file of `fit` imports');
  t.false(stage!.files.some((file) => /^(reports|components\/(tokenizer|backbone))\//.test(file)));
  t.true(stage!.packages.some(({ specifier }) => specifier === '@tensorflow/tfjs-core'));
  t.true(
    named!.files.includes('components/training/fit.ts'),
    'nothing is known of what another thread takes',
  );
});
