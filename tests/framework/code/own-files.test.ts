import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { bundleModules } from '../../../framework/code/bundle.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { createProject, portable } from '../../support/project.ts';

/** Ways to name `table.json` beside the file itself, as they are written in a stage. */
const spellings: { readonly [title: string]: string } = {
  'new URL': "new URL('./table.json', import.meta.url)",
  'a name without a dot': "new URL('table.json', import.meta.url).href",
  'a template': 'new URL(`./table.json`, import.meta.url)',
  'a sum': "new URL('./table' + '.json', import.meta.url)",
  'a constant': 'new URL(name, import.meta.url)',
  'a path of the URL': "fileURLToPath(new URL('./table.json', import.meta.url))",
  'its pathname': "new URL('./table.json', import.meta.url).pathname",
  'the folder, joined': "path.join(import.meta.dirname, 'table.json')",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
  'the folder, in a template': '`${import.meta.dirname}/table.json`',
  'the folder of the file': "path.resolve(path.dirname(fileURLToPath(import.meta.url)), 'table.json')",
  'a base that is a constant': "new URL('table.json', here)",
};

for (const [title, spelling] of Object.entries(spellings)) {
  test(`a file that code names by its own place is among the sources: ${title}`, async (t) => {
    const project = createProject(t, {
      'parts/stage.ts': `
        import fs from 'node:fs';
        import path from 'node:path';
        import { fileURLToPath } from 'node:url';
        const name = './table.json';
        const here = new URL('.', import.meta.url);
        export const table = () => fs.readFileSync(${spelling}, 'utf8');
        export const all = [path, fileURLToPath, name, here];
      `,
      'parts/table.json': '[1]',
    });
    const entry = project.file('parts/stage.ts');
    const { sources } = (await bundleModules([entry], project.dir)).get(entry)!;
    // A pathname has %20 for a space: in a folder of such a name this code finds no file.
    const isFound = title !== 'its pathname' || pathToFileURL(project.dir).pathname === project.dir;
    t.deepEqual(Object.keys(sources), isFound ? [entry, project.file('parts/table.json')] : [entry]);
  });
}

/** Ways to read `table.json` in which the file's own place is passed on before a name is added. */
const passedOn: { readonly [title: string]: string } = {
  'a function of names':
    "const at = (name: string) => new URL(name, import.meta.url);\nexport const table = read(at('./table.json'));",
  'a constant within a function':
    "function find() { const here = import.meta.dirname; return path.join(here, 'table.json'); }\nexport const table = read(find());",
  'a variable': "let here = import.meta.dirname;\nexport const table = read(path.join(here, 'table.json'));",
  'taken out of import.meta':
    "const { dirname } = import.meta;\nexport const table = read(path.join(dirname, 'table.json'));",
  'import.meta by another name':
    "const meta = import.meta;\nexport const table = read(new URL('table.json', meta.url));",
  'an optional property': "export const table = read(new URL('./table.json', import.meta?.url));",
  'a list of names':
    "export const table = ['table.json'].map((name) => read(new URL(name, import.meta.url)))[0];",
  'a choice': "export const table = read(new URL(path.sep ? './table.json' : './none', import.meta.url));",
  'a name that takes the place of the own':
    "export const table = read(import.meta.filename.replace('stage.ts', 'table.json'));",
  'functions by other names':
    "import { join as glue } from 'node:path';\nexport const table = read(glue(import.meta.dirname, 'table.json'));",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
  'a template': 'let here = import.meta.dirname;\nexport const table = read(`${here}/table.json`);',
};

for (const [title, code] of Object.entries(passedOn)) {
  test(`a file counts that is read where the own place is passed on, and the bundle reads it: ${title}`, async (t) => {
    const project = createProject(t, {
      'parts/stage.ts': `import fs from 'node:fs';\nimport path from 'node:path';\nimport type { Part } from './part.ts';
        const read = (file: string | URL) => fs.readFileSync(file, 'utf8');\nexport type One = [Part, typeof path];\n${code}\n`,
      'parts/part.ts': 'export type Part = 1;\n',
      'parts/table.json': '[1]',
    });
    const entry = project.file('parts/stage.ts');
    const { sources, text } = (await bundleModules([entry], project.dir)).get(entry)!;
    t.deepEqual(Object.keys(sources), [entry, project.file('parts/table.json')]);
    fs.writeFileSync(project.file('bundle.mjs'), text);
    const { table } = (await import(pathToFileURL(project.file('bundle.mjs')).href)) as { table: string };
    t.is(table, '[1]');
  });
}

test('a file that could be meant and is not there yet is watched for', async (t) => {
  const project = createProject(t, {
    'stage.ts':
      "const at = (name: string) => new URL(name, import.meta.url);\nexport const places = ['a.json', 'no file'].map(at);\n",
  });
  const entry = project.file('stage.ts');
  const { resolution } = (await bundleModules([entry], project.dir)).get(entry)!;
  t.true(resolution.absent.includes(project.file('a.json')));
  t.false(resolution.absent.includes(project.file('no file')));
});

test('CommonJS knows its place, also in a file that returns early', async (t) => {
  const project = createProject(t, {
    'stage.ts': "import table from './read.cjs';\nexport { table };\n",
    'read.cjs':
      "module.exports = require('fs').readFileSync(require('path').join(__dirname, 'table.json'), 'utf8');\nreturn;\n",
    'table.json': '[1]',
  });
  const entry = project.file('stage.ts');
  const { sources, text } = (await bundleModules([entry], project.dir)).get(entry)!;
  t.deepEqual(Object.keys(sources), ['stage.ts', 'read.cjs', 'table.json'].map(project.file));
  fs.writeFileSync(project.file('bundle.mjs'), text);
  const { table } = (await import(pathToFileURL(project.file('bundle.mjs')).href)) as { table: string };
  t.is(table, '[1]');
});

test('a package that code can do without may be missing, and is watched for', async (t) => {
  const project = createProject(t, {
    'stage.ts':
      "export const later = () => import('not-there').catch(() => 'without');\nexport { now } from './now.cjs';\n",
    'now.cjs': "try { exports.now = require('not-there-either'); } catch { exports.now = 'without'; }\n",
  });
  fs.mkdirSync(project.file('node_modules'), { recursive: true });
  const entry = project.file('stage.ts');
  const { resolution, text } = (await bundleModules([entry], project.dir)).get(entry)!;
  t.true(resolution.absent.includes(project.file('node_modules/not-there')));
  t.true(resolution.absent.includes(project.file('node_modules/not-there-either')));
  fs.writeFileSync(project.file('bundle.mjs'), text);
  const made = (await import(pathToFileURL(project.file('bundle.mjs')).href)) as {
    later: () => Promise<string>;
    now: string;
  };
  t.deepEqual([made.now, await made.later()], ['without', 'without']);
});

test('a script that another thread or Node itself loads counts with all that it imports, but is not in the bundle', async (t) => {
  const project = createProject(t, {
    'stage.ts': `
      import { Worker } from 'node:worker_threads';
      export const start = () => new Worker(new URL('./worker.ts', import.meta.url));
      export const later = () => import(new URL('./later.ts', import.meta.url).href);
    `,
    'worker.ts':
      "import fs from 'node:fs';\nimport { half } from './half.ts';\nconsole.log('worker', half, fs);\n",
    'half.ts': 'export const half = 0.5;\n',
    'later.ts': "import { third } from './third.ts';\nexport const later = third;\n",
    'third.ts': 'export const third = 1 / 3;\n',
  });
  const entry = project.file('stage.ts');
  const { sources, text, builtins } = (await bundleModules([entry], project.dir)).get(entry)!;
  t.deepEqual(
    Object.keys(sources).sort(),
    ['half.ts', 'later.ts', 'stage.ts', 'third.ts', 'worker.ts'].map(project.file),
  );
  t.notRegex(text, /half|1 \/ 3|__pecoOwnFiles/);
  t.deepEqual(builtins, ['worker_threads']);
});

test('what a component names as its modules is not a source of the file that declares it', async (t) => {
  const project = createProject(t, {
    'config.ts': `
      const defineComponent = (parts: object) => parts;
      export const part = defineComponent({ run: new URL('./stage.ts', import.meta.url).href });
      const at = (name: string) => new URL(name, import.meta.url).href;
      export const other = { run: at('./stage.ts') };
    `,
    'stage.ts': 'export const run = 1;\n',
  });
  const entry = project.file('config.ts');
  const { sources } = (await bundleModules([entry], project.dir)).get(entry)!;
  t.deepEqual(Object.keys(sources), [entry]);
});

test('a file that code names and that is not there is watched for', async (t) => {
  const project = createProject(t, {
    'stage.ts': "export const table = new URL('./table.json', import.meta.url).href;\n",
  });
  const entry = project.file('stage.ts');
  const bundle = async () => (await bundleModules([entry], project.dir)).get(entry)!;
  t.true((await bundle()).resolution.absent.includes(project.file('table.json')));
  fs.writeFileSync(project.file('table.json'), '[1]');
  t.deepEqual(Object.keys((await bundle()).sources), [entry, project.file('table.json')]);
});

const refused: { readonly [title: string]: string } = {
  createRequire: `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    export const value = require('./own.cjs').v;`,
  'createRequire by another name': "import { createRequire as load } from 'module';\nexport const l = load;",
  'the whole module': "import module from 'node:module';\nexport const r = module.createRequire;",
  'the whole module by a star': "import * as m from 'node:module';\nexport const r = m.register;",
  'the module, passed on': "export { createRequire } from 'node:module';",
  'all of the module, passed on': "export * from 'node:module';",
  register: "import { register } from 'node:module';\nregister('./hooks.mjs', import.meta.url);",
  'the module, imported later': "export const m = () => import('node:module');",
  'the module, required': "export const m = require('module');",
  getBuiltinModule: "export const m = process.getBuiltinModule('module').createRequire(import.meta.url);",
  'getBuiltinModule by a computed name': "export const m = process['getBuiltinModule']('fs');",
  'getBuiltinModule, taken out': 'export const { getBuiltinModule } = process;',
  'import.meta.resolve': "export const url = import.meta.resolve('./own.cjs');",
  'a variable': 'export const load = (name: string) => import(name);',
  'a place that only the run knows':
    'export const load = (name: string) => import(new URL(name, import.meta.url).href);',
  'a variable that is required': 'export const load = (name: string) => require(name);',
};

for (const [title, text] of Object.entries(refused)) {
  test(`code that may load what is in no key is refused, with its place: ${title}`, async (t) => {
    const project = createProject(t, { 'parts/value.ts': `${text}\n`, 'parts/own.cjs': 'exports.v = 1;\n' });
    const error = await t.throwsAsync(bundleModules([project.file('parts/value.ts')], project.dir));
    t.snapshot(portable(formatError(error), project));
  });
}

test('code that only looks like that is not refused', async (t) => {
  const project = createProject(t, {
    'stage.ts': `
      import { isBuiltin, builtinModules } from 'node:module';
      import type { Module } from 'node:module';
      // const require = createRequire(import.meta.url); import(name)
      export const text = 'import(name), process.getBuiltinModule';
      export const resolve = (name: string) => name;
      export const choose = (first: boolean) => import(first ? './one.ts' : './two.ts');
      export const own = (require: (name: string) => unknown, name: string) => require(name);
      export const all: [unknown, unknown, Module?] = [isBuiltin, builtinModules];
    `,
    'one.ts': 'export const one = 1;\n',
    'two.ts': 'export const two = 2;\n',
  });
  const entry = project.file('stage.ts');
  const { sources } = (await bundleModules([entry], project.dir)).get(entry)!;
  t.deepEqual(Object.keys(sources), ['stage.ts', 'one.ts', 'two.ts'].map(project.file));
});

/** Uses of a constant that names a module, beside that in `defineComponent`. */
const otherUses: { readonly [title: string]: string } = {
  'it is exported': 'export { run };',
  'a function takes it': 'export const place = () => String(run);',
  'another constant takes it': 'export const places = [run];',
};

test('a constant that only a component definition uses is no file that the code reads', async (t) => {
  const project = createProject(t, {
    'config.ts': `
      const run = new URL('./stage.ts', import.meta.url).href;
      const table = new URL('./table.json', import.meta.url).pathname;
      export const part = defineComponent({ run, files: () => ({ table }) });
    `,
    'stage.ts': 'export const run = 1;\n',
    'table.json': '[1]',
  });
  const entry = project.file('config.ts');
  const { sources, resolution } = (await bundleModules([entry], project.dir)).get(entry)!;
  t.deepEqual(Object.keys(sources), [entry]);
  t.false(resolution.absent.includes(project.file('stage.ts')));
});

for (const [title, use] of Object.entries(otherUses)) {
  test(`a constant that a component definition uses is a file of the code, too, if ${title}`, async (t) => {
    const project = createProject(t, {
      'config.ts': `
        const run = new URL('./stage.ts', import.meta.url).href;
        export const part = defineComponent({ run });
        ${use}
      `,
      'stage.ts': 'export const run = 1;\n',
    });
    const entry = project.file('config.ts');
    const { sources } = (await bundleModules([entry], project.dir)).get(entry)!;
    t.deepEqual(Object.keys(sources).sort(), [entry, project.file('stage.ts')]);
  });
}
