import fs from 'node:fs';
import test from 'ava';
import type { Project } from '../../support/project.ts';
import { createFakeProject, simulateRun } from '../../support/simulate.ts';

test('the version of a package that a stage imports is part of its key', async (t) => {
  const project = createFakeProject(t);
  project.write({
    'node_modules/sums/package.json':
      '{ "name": "sums", "version": "1.0.0", "type": "module", "main": "index.js" }',
    'node_modules/sums/index.js': 'export const sum = (a, b) => a + b;\n',
  });
  project.edit(
    'parts/evaluation/stage.ts',
    'export async',
    "import { sum } from 'sums';\nexport const two = sum(1, 1);\nexport async",
  );
  await simulateRun(project);
  project.edit('node_modules/sums/package.json', '1.0.0', '1.0.1');
  t.deepEqual(await simulateRun(project), evaluations);
});

const sums = (version: string) => ({
  'package.json': JSON.stringify({ name: 'sums', version, type: 'module', main: 'index.js' }),
  'index.js': 'export const sum = (a, b) => a + b;\n',
});

function install(project: Project, dir: string, files: { readonly [name: string]: string }): void {
  project.write(Object.fromEntries(Object.entries(files).map(([name, text]) => [`${dir}/${name}`, text])));
}

const evaluations = [
  ...['pixel', 'peco', 'shallow'].flatMap((row) => [0, 1].map((seed) => `evaluation/${row}/seed-${seed}`)),
  'report',
];

/** Ways in which an import leads elsewhere although no source changed. */
const redirections: {
  readonly [title: string]: { before: (project: Project) => void; edit: (project: Project) => void };
} = {
  'a package that is a link to another version': {
    before(project) {
      install(project, 'versions/sums@1', sums('1.0.0'));
      install(project, 'versions/sums@2', sums('2.0.0'));
      fs.symlinkSync('../versions/sums@1', project.file('node_modules/sums'));
    },
    edit(project) {
      fs.rmSync(project.file('node_modules/sums'));
      fs.symlinkSync('../versions/sums@2', project.file('node_modules/sums'));
    },
  },
  'a package whose main file moved': {
    before: (project) => install(project, 'node_modules/sums', sums('1.0.0')),
    edit(project) {
      project.edit('node_modules/sums/package.json', '1.0.0', '2.0.0');
      project.edit('node_modules/sums/package.json', 'index.js', 'other.js');
      project.write({ 'node_modules/sums/other.js': 'export const sum = (a, b) => b + a;\n' });
      project.remove('node_modules/sums/index.js');
    },
  },
  'a nearer package': {
    before: (project) => install(project, 'node_modules/sums', sums('1.0.0')),
    edit: (project) => install(project, 'parts/node_modules/sums', sums('2.0.0')),
  },
  'a package that the package depends on': {
    before(project) {
      install(project, 'node_modules/sums', sums('1.0.0'));
      project.edit('node_modules/sums/package.json', '"main"', '"dependencies":{"digits":"*"},"main"');
      install(project, 'node_modules/digits', { 'package.json': '{"name":"digits","version":"1.0.0"}' });
    },
    edit: (project) => project.edit('node_modules/digits/package.json', '1.0.0', '1.0.1'),
  },
};

for (const [title, { before, edit }] of Object.entries(redirections)) {
  test(`rerun after a change of: ${title}`, async (t) => {
    const project = createFakeProject(t);
    before(project);
    project.edit(
      'parts/evaluation/stage.ts',
      'export async',
      "import { sum } from 'sums';\nexport const two = sum(1, 1);\nexport async",
    );
    await simulateRun(project);
    t.deepEqual(await simulateRun(project), []);
    edit(project);
    t.deepEqual(await simulateRun(project), evaluations);
  });
}

test('rerun after a change of: paths in tsconfig.json', async (t) => {
  const project = createFakeProject(t);
  const paths = (to: string) => JSON.stringify({ compilerOptions: { paths: { '@sums': [to] } } });
  project.write({
    'tsconfig.json': paths('./one.ts'),
    'one.ts': 'export const sum = 1;\n',
    'two.ts': 'export const sum = 2;\n',
  });
  project.edit('parts/evaluation/stage.ts', 'export async', "export { sum } from '@sums';\nexport async");
  await simulateRun(project);
  project.write({ 'tsconfig.json': paths('./two.ts') });
  t.deepEqual(await simulateRun(project), evaluations);
});

type Files = { readonly [name: string]: string };
const both = { 'one.ts': 'export const sum = 1;\n', 'two.ts': 'export const sum = 2;\n' };
const aliases: { readonly [title: string]: { readonly name: string; settings(to: string): Files } } = {
  'where paths in tsconfig.json lead, among files that are used anyway': {
    name: '@sums',
    settings: (to) => ({
      'tsconfig.json': `{
        // as TypeScript allows it
        "compilerOptions": { "paths": { "@sums": ["./${to}"] }, },
      }`,
    }),
  },
  'where imports in package.json lead, among files that are used anyway': {
    name: '#sums',
    settings: (to) => ({
      'package.json': JSON.stringify({ name: 'fixture', type: 'module', imports: { '#sums': `./${to}` } }),
    }),
  },
};

for (const [title, { name, settings }] of Object.entries(aliases)) {
  test(`rerun after a change of: ${title}`, async (t) => {
    const project = createFakeProject(t);
    project.write({ ...both, ...settings('one.ts') });
    const imports = `import { sum } from '${name}';\nexport { sum as one } from '../../one.ts';\nexport { sum as two } from '../../two.ts';`;
    project.edit(
      'parts/evaluation/stage.ts',
      'export async',
      `${imports}\nexport const used = sum;\nexport async`,
    );
    await simulateRun(project);
    t.deepEqual(await simulateRun(project), []);
    project.write(settings('two.ts'));
    t.deepEqual(await simulateRun(project), evaluations);
  });
}

test('rerun after a change of: options in tsconfig.json, or in what it extends, that change what code does', async (t) => {
  const project = createFakeProject(t);
  const base = (define: boolean) => ({
    'settings/base.json': JSON.stringify({ compilerOptions: { useDefineForClassFields: define } }),
  });
  project.write({
    ...base(true),
    'tsconfig.json': '{ "extends": "./settings/base", "compilerOptions": {} }',
  });
  project.edit('parts/evaluation/stage.ts', 'export async', 'export class Sum { value; }\nexport async');
  await simulateRun(project);
  project.write(base(false));
  t.deepEqual(await simulateRun(project), evaluations);
  // One that changes nothing in what esbuild makes of the file.
  project.write({
    'tsconfig.json': '{ "extends": "./settings/base", "compilerOptions": { "strict": true } }',
  });
  t.deepEqual(await simulateRun(project), []);
});

test('a tsconfig.json that is extended and was not there is noticed when it comes', async (t) => {
  const project = createFakeProject(t);
  project.write({ 'tsconfig.json': '{ "extends": "./base" }' });
  project.edit('parts/evaluation/stage.ts', 'export async', 'export class Sum { value; }\nexport async');
  await simulateRun(project);
  project.write({ 'base.json': '{ "compilerOptions": { "useDefineForClassFields": false } }' });
  t.deepEqual(await simulateRun(project), evaluations);
});
