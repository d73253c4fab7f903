import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import { bundleImplementation, forgetBundles } from '../../../framework/code/code.ts';
import { createPackageNames } from '../../../framework/code/packages.ts';
import { createProject, type Project } from '../../support/project.ts';

// What a stage is known by: everything of its code that goes into a key.

interface Fixture {
  /** Below a folder of their own; the project is `app`, its stage `app/parts/stage.ts`. */
  readonly files: { readonly [file: string]: string | Uint8Array };
  readonly links?: { readonly [place: string]: string };
  readonly edit: { readonly [file: string]: string | Uint8Array };
  /** Where the project lies. */
  readonly app?: string;
}

const one = 'export const v = 1;\n';
const two = 'export const v = 2;\n';
const mark = '\uFEFF';
const manifest = (name: string | undefined, version?: string, more: object = {}) =>
  JSON.stringify({ name, version, type: 'module', main: 'index.js', ...more });
const dependencies = (...names: string[]) => ({
  dependencies: Object.fromEntries(names.map((name) => [name, '*'])),
});
const uses = (...specifiers: string[]) =>
  specifiers.map((specifier, index) => `export { v as v${index} } from '${specifier}';\n`).join('');

const namesake = {
  files: {
    'app/parts/stage.ts': uses('parts/own.ts', './own.ts'),
    'app/parts/own.ts': one,
    'lib/package.json': manifest('parts', '1.0.0', { exports: { './*': './*' } }),
    'lib/own.ts': one,
  },
  links: { 'app/node_modules/parts': '../../lib' },
};
const twins = {
  files: {
    'app/parts/stage.ts': uses('lib-old', 'lib-new'),
    'old/package.json': manifest('lib', '1.0.0'),
    'old/index.js': one,
    'new/package.json': manifest('lib', '1.0.0'),
    'new/index.js': one,
  },
  links: { 'app/node_modules/lib-old': '../../old', 'app/node_modules/lib-new': '../../new' },
};
const nested = (own: string, theirs: string) => ({
  'app/node_modules/dep/package.json': manifest('dep', own),
  'salty/node_modules/dep/package.json': manifest('dep', theirs),
});
const aliased = (first: string, second: string) => ({
  'app/node_modules/dep-a/package.json': manifest('dep', first),
  'app/node_modules/dep-b/package.json': manifest('dep', second),
});
const deep = (a: string, b: string) => ({
  'app/node_modules/a/node_modules/dep/package.json': manifest('dep', a),
  'app/node_modules/b/node_modules/dep/package.json': manifest('dep', b),
});
const modules = (dir: string, ...names: string[]) =>
  Object.fromEntries(names.map((name) => [`${dir}/node_modules/${name}/index.js`, one]));

const fixtures: { readonly [title: string]: Fixture } = {
  'a project file, beside a linked package that is called like its folder': {
    ...namesake,
    edit: { 'app/parts/own.ts': two },
  },
  'a linked package that is called like a folder of the project': {
    ...namesake,
    edit: { 'lib/own.ts': two },
  },
  'the first of two linked packages of one name': { ...twins, edit: { 'old/index.js': two } },
  'the second of two linked packages of one name': { ...twins, edit: { 'new/index.js': two } },
  'two linked packages of one name that trade places': {
    ...twins,
    files: { ...twins.files, 'new/index.js': two },
    edit: { 'old/index.js': two, 'new/index.js': one },
  },
  'a linked package without a name': {
    files: {
      'app/parts/stage.ts': uses('lib'),
      'lib/package.json': manifest(undefined),
      'lib/index.js': one,
    },
    links: { 'app/node_modules/lib': '../../lib' },
    edit: { 'lib/index.js': two },
  },
  'two versions of a package that trade places, one of them inside a linked package': {
    files: {
      'app/parts/stage.ts': uses('dep', 'salty'),
      'salty/package.json': manifest('salty', '1.0.0'),
      'salty/index.js': uses('dep'),
      ...modules('app', 'dep'),
      ...modules('salty', 'dep'),
      ...nested('1.0.0', '2.0.0'),
    },
    links: { 'app/node_modules/salty': '../../salty' },
    edit: nested('2.0.0', '1.0.0'),
  },
  'two versions of a package that trade places, installed by other names': {
    files: {
      'app/parts/stage.ts': uses('dep-a', 'dep-b'),
      ...modules('app', 'dep-a', 'dep-b'),
      ...aliased('1.0.0', '2.0.0'),
    },
    edit: aliased('2.0.0', '1.0.0'),
  },
  'another package of that version, installed by the same name': {
    files: {
      'app/parts/stage.ts': uses('dep-a', 'dep-b'),
      ...modules('app', 'dep-a', 'dep-b'),
      ...aliased('1.0.0', '1.0.0'),
    },
    edit: { 'app/node_modules/dep-a/package.json': manifest('other', '1.0.0') },
  },
  'two versions of a package that trade places deep in what packages depend on': {
    files: {
      'app/parts/stage.ts': uses('a', 'b'),
      ...modules('app', 'a', 'b'),
      'app/node_modules/a/package.json': manifest('a', '1.0.0', dependencies('dep')),
      'app/node_modules/b/package.json': manifest('b', '1.0.0', dependencies('dep')),
      ...deep('1.0.0', '2.0.0'),
    },
    edit: deep('2.0.0', '1.0.0'),
  },
  'a package that another one depends on and that was not installed': {
    files: {
      'app/parts/stage.ts': uses('a'),
      ...modules('app', 'a'),
      'app/node_modules/a/package.json': manifest('a', '1.0.0', dependencies('dep')),
    },
    edit: { 'app/node_modules/dep/package.json': manifest('dep', '1.0.0') },
  },
  'the version of a package whose files have a nearer package.json': {
    files: {
      'app/parts/stage.ts': uses('dep'),
      'app/node_modules/dep/package.json': manifest('dep', '1.0.0', { main: 'dist/esm/index.js' }),
      'app/node_modules/dep/dist/esm/package.json': '{ "type": "module" }',
      'app/node_modules/dep/dist/esm/index.js': one,
    },
    edit: {
      'app/node_modules/dep/package.json': manifest('dep', '2.0.0', { main: 'dist/esm/index.js' }),
    },
  },
  'the version of a package whose files have a nearer package.json with a name and a version': {
    files: {
      'app/parts/stage.ts': uses('dep'),
      'app/node_modules/dep/package.json': manifest('dep', '1.0.0', { main: 'dist/index.js' }),
      'app/node_modules/dep/dist/package.json': manifest('inner', '7.0.0'),
      'app/node_modules/dep/dist/index.js': one,
    },
    edit: { 'app/node_modules/dep/package.json': manifest('dep', '2.0.0', { main: 'dist/index.js' }) },
  },
  'the version of a package whose package.json begins with a byte order mark': {
    files: {
      'app/parts/stage.ts': uses('dep'),
      ...modules('app', 'dep'),
      'app/node_modules/dep/package.json': mark + manifest('dep', '1.0.0'),
    },
    edit: { 'app/node_modules/dep/package.json': mark + manifest('dep', '2.0.0') },
  },
  'the text of a package that has no version': {
    files: {
      'app/parts/stage.ts': uses('dep'),
      'app/node_modules/dep/package.json': manifest('dep'),
      'app/node_modules/dep/index.js': one,
    },
    edit: { 'app/node_modules/dep/index.js': two },
  },
  'the text of a package that has no package.json': {
    files: { 'app/parts/stage.ts': uses('dep/part.js'), 'app/node_modules/dep/part.js': one },
    edit: { 'app/node_modules/dep/part.js': two },
  },
  'the main file of a package of the same version': {
    files: {
      'app/parts/stage.ts': uses('dep'),
      'app/node_modules/dep/package.json': manifest('dep', '1.0.0'),
      'app/node_modules/dep/index.js': one,
      'app/node_modules/dep/other.js': two,
    },
    edit: { 'app/node_modules/dep/package.json': manifest('dep', '1.0.0', { main: 'other.js' }) },
  },
  'a file in a package that an import prefers': {
    files: {
      'app/parts/stage.ts': uses('dep'),
      'app/node_modules/dep/package.json': manifest('dep', '1.0.0', { main: 'lib' }),
      'app/node_modules/dep/lib/index.js': one,
    },
    edit: { 'app/node_modules/dep/lib.js': two },
  },
  'a file that an import prefers to a folder': {
    files: { 'app/parts/stage.ts': uses('./spice'), 'app/parts/spice/index.ts': one },
    edit: { 'app/parts/spice.ts': one },
  },
  'a TypeScript file that an import prefers to JavaScript': {
    files: { 'app/parts/stage.ts': uses('./spice'), 'app/parts/spice.js': one },
    edit: { 'app/parts/spice.ts': one },
  },
  'JavaScript that a compiler made, beside the source that its name stood for': {
    files: { 'app/parts/stage.ts': uses('./spice.js'), 'app/parts/spice.ts': one },
    edit: { 'app/parts/spice.js': one },
  },
  'a package.json that appears in a folder': {
    files: {
      'app/parts/stage.ts': uses('./spice', './spice/index.ts', './spice/other.ts'),
      'app/parts/spice/index.ts': one,
      'app/parts/spice/other.ts': two,
    },
    edit: { 'app/parts/spice/package.json': '{ "main": "other.ts" }' },
  },
  'a folder that comes first in paths of tsconfig.json': {
    files: {
      'app/parts/stage.ts': uses('@/spice'),
      'app/tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./first/*", "./second/*"] } } }',
      'app/second/spice.ts': one,
    },
    edit: { 'app/first/spice.ts': one },
  },
  'what package.json says of the meaning of the code': {
    files: { 'app/parts/stage.ts': uses('./own.cjs'), 'app/parts/own.cjs': 'exports.v = 1;\n' },
    edit: { 'app/package.json': '{ "name": "app", "type": "commonjs" }' },
  },
  'a file that an alias of package.json leads to, in a project below a folder called node_modules': {
    app: 'node_modules/app',
    files: {
      'node_modules/app/parts/stage.ts': uses('#own'),
      'node_modules/app/package.json': '{ "name": "app", "imports": { "#own": "./parts/own.js" } }',
      'node_modules/app/parts/own.js': one,
    },
    edit: { 'node_modules/app/parts/own.js': two },
  },
  'a linked neighbour of a project below a folder called node_modules': {
    app: 'node_modules/app',
    files: {
      'node_modules/app/parts/stage.ts': uses('lib'),
      'node_modules/app/package.json': '{ "name": "app" }',
      'node_modules/lib/package.json': manifest('lib', '1.0.0'),
      'node_modules/lib/index.js': one,
    },
    links: { 'node_modules/app/node_modules/lib': '../../lib' },
    edit: { 'node_modules/lib/index.js': two },
  },
  'an option of a tsconfig.json that begins with a byte order mark': {
    files: {
      'app/parts/stage.ts': 'export class Sum { value; }\n',
      'app/tsconfig.json': `${mark}{ "compilerOptions": { "useDefineForClassFields": true } }`,
    },
    edit: { 'app/tsconfig.json': `${mark}{ "compilerOptions": { "useDefineForClassFields": false } }` },
  },
  'JSON that is imported with an attribute': {
    files: {
      'app/parts/stage.ts':
        "import table from './table.json' with { type: 'json' };\nexport const v = table;\n",
      'app/parts/table.json': '[1]',
    },
    edit: { 'app/parts/table.json': '[2]' },
  },
  'JSON that is imported with an attribute and without': {
    files: {
      'app/parts/stage.ts':
        "import a from './table.json' with { type: 'json' };\nimport b from './table.json';\nexport const v = [a, b];\n",
      'app/parts/table.json': '[1]',
    },
    edit: { 'app/parts/table.json': '[2]' },
  },
  'a file that is imported with a query': {
    files: { 'app/parts/stage.ts': uses('./own.ts?once'), 'app/parts/own.ts': one },
    edit: { 'app/parts/own.ts': two },
  },
  'bytes that are no text': {
    files: {
      'app/parts/stage.ts': "export const table = new URL('./table.bin', import.meta.url);\n",
      'app/parts/table.bin': new Uint8Array([0xff, 1]),
    },
    edit: { 'app/parts/table.bin': new Uint8Array([0xfe, 1]) },
  },
};

function write(project: Project, files: Fixture['files']): void {
  for (const [name, bytes] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(project.file(name)), { recursive: true });
    fs.writeFileSync(project.file(name), bytes);
  }
}

/** @param root where the files are */
async function knownBy(root: string, { app = 'app' }: Fixture, stage = 'parts/stage.ts'): Promise<string> {
  forgetBundles();
  const dir = path.join(root, app);
  const url = pathToFileURL(path.join(dir, stage)).href;
  const { entry, code, aliases, settings, packages } = await bundleImplementation(url, { root: dir });
  return JSON.stringify({ entry, code, aliases, settings, packages }, null, 1);
}

for (const [title, fixture] of Object.entries(fixtures)) {
  const { app = 'app', files, links = {}, edit } = fixture;
  test(`a stage is another one after a change of: ${title}`, async (t) => {
    const project = createProject(t, {});
    write(project, { [`${app}/package.json`]: '{ "name": "app", "type": "module" }', ...files });
    fs.mkdirSync(project.file(`${app}/node_modules`), { recursive: true });
    for (const [place, target] of Object.entries(links)) fs.symlinkSync(target, project.file(place));
    const before = await knownBy(project.dir, fixture);
    t.is(await knownBy(project.dir, fixture), before);
    t.false(before.includes(project.dir), before);
    // The same elsewhere, where nothing of it was ever seen.
    const elsewhere = createProject(t, {});
    const moved = elsewhere.file('some/where');
    fs.cpSync(project.dir, moved, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (name) => !name.endsWith('.cache'),
    });
    t.is(await knownBy(moved, fixture), before);
    write(project, edit);
    const after = await knownBy(project.dir, fixture);
    t.not(after, before);
    fs.rmSync(project.file(`${app}/node_modules/.cache`), { recursive: true });
    t.is(await knownBy(project.dir, fixture), after, 'a cache has no say');
  });
}

test('two modules that import each other are not the same', async (t) => {
  const project = createProject(t, {
    'app/package.json': '{ "name": "app" }',
    'app/a.ts': "export { b } from './b.ts';\nexport const a = 1;\n",
    'app/b.ts': "export { a } from './a.ts';\nexport const b = 2;\n",
  });
  const fixture = { files: {}, edit: {} };
  t.not(await knownBy(project.dir, fixture, 'a.ts'), await knownBy(project.dir, fixture, 'b.ts'));
});

test('no two packages have one name, whatever they are called, and no name is a path', (t) => {
  const name = fc.oneof(
    fc.constantFrom('dep', '@a/dep', '@a', 'dep of salty', 'dep#2', 'a/b', '__proto__', '..', ''),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ name, importer: fc.option(name, { nil: undefined }) })), (packages) => {
      const nameOf = createPackageNames();
      const names = packages.map(({ name: called, importer }, index) =>
        nameOf({ dir: `/somewhere/${index}`, name: called, ...(importer === undefined ? {} : { importer }) }),
      );
      return new Set(names).size === names.length && !names.some((one) => one.startsWith('/'));
    }),
  );
  t.pass();
});
