import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { bundleImplementation, forgetBundles } from '../../../framework/code/code.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { createProject, type Project, portable } from '../../support/project.ts';

function bundle(project: Project, name: string) {
  forgetBundles();
  return bundleImplementation(pathToFileURL(project.file(name)).href, { root: project.dir });
}

test('a bundled module runs from where it is stored and still knows where it was written', async (t) => {
  const project = createProject(t, {
    'a/stage.ts': `
      import { place } from './deep/place.ts';
      import { z } from 'zod';
      import { isBuiltin } from 'node:module';
      const text: string = 'import.meta.url';
      export const found = { own: import.meta.url, place, text, dir: import.meta.dirname, zod: typeof z.int, node: typeof isBuiltin };
    `,
    'a/deep/place.ts': "export const place = new URL('./data.bin', import.meta.url).href;",
  });
  const { path } = await bundle(project, 'a/stage.ts');
  t.true(path.startsWith(project.file('node_modules/.cache/peco-exp/')));
  const { found } = (await import(pathToFileURL(path).href)) as { found: unknown };
  const url = pathToFileURL(project.dir).href;
  t.deepEqual(found, {
    own: `${url}/a/stage.ts`,
    place: `${url}/a/deep/data.bin`,
    text: 'import.meta.url',
    dir: project.file('a'),
    zod: 'function',
    node: 'function',
  });
});

test('the closure has the imported files, no types, and the versions of packages', async (t) => {
  const project = createProject(t, {
    'stage.ts': `
      import type { Shape } from './types.ts';
      import { z } from 'zod';
      import numbers from './numbers.json';
      const later = () => import('./lazy.ts');
      export const run = (): Shape => ({ z, numbers, later });
    `,
    'types.ts': 'export type Shape = object;',
    'lazy.ts': 'export const lazy = 1;',
    'numbers.json': '[1]',
    'unused.ts': 'export const unused = 1;',
  });
  const { code, packages } = await bundle(project, 'stage.ts');
  t.deepEqual(Object.keys(code), ['lazy.ts', 'numbers.json', 'stage.ts']);
  const zod = JSON.parse(fs.readFileSync(project.file('node_modules/zod/package.json'), 'utf8')) as {
    version: string;
  };
  t.deepEqual(packages, { zod: zod.version });
});

test('digests of code see through comments, white space and types, and through nothing else', async (t) => {
  const project = createProject(t, { 'stage.ts': 'export const run = (n: number) => n + 1; // one\n' });
  const digest = async (text: string) => {
    project.write({ 'stage.ts': text });
    return (await bundle(project, 'stage.ts')).code['stage.ts'];
  };
  const first = await digest('export const run = (n: number) => n + 1; // one\n');
  t.is(
    await digest('/** Two\n * lines. */\nexport const run =\n  (n: number): number =>\n    n + 1;\n'),
    first,
  );
  t.is(await digest('/*! licence */ export const run = (n: 1 | 2) => n + 1 as number;'), first);
  t.not(await digest('export const run = (n: number) => n + 2;'), first);
  t.not(await digest("export const run = (n: number) => n + '1 // one';"), first);
  t.is(await digest('export const run = (n: number) => n + 1;'), first);
});

test('an edit changes the path of the bundle, the same text has the same path', async (t) => {
  const project = createProject(t, { 'stage.ts': 'export const run = 1;' });
  const first = (await bundle(project, 'stage.ts')).path;
  project.write({ 'stage.ts': 'export const run = 2;' });
  const second = (await bundle(project, 'stage.ts')).path;
  t.not(first, second);
  t.true(fs.existsSync(first), 'a run that started before the edit goes on with its own code');
  project.write({ 'stage.ts': 'export const run = 1;' });
  t.is((await bundle(project, 'stage.ts')).path, first);
});

test('the error lists all that is wrong with the code of a stage, with places', async (t) => {
  const project = createProject(t, {
    'stage.ts':
      "import { a } from './gone.ts';\nimport b from 'not-a-package';\nexport const run = [a, b];\n",
    'broken.ts': 'export const run = (\n',
    'twice.ts': 'export const run = {\n  peco: 1,\n  peco: 2,\n};\n',
  });
  const messages = [];
  for (const name of ['stage.ts', 'broken.ts', 'twice.ts']) {
    const error = await t.throwsAsync(bundle(project, name));
    messages.push(portable(formatError(error), project));
  }
  t.snapshot(messages.join('\n\n'));
});

test('a cache that was deleted or broken is made again', async (t) => {
  const project = createProject(t, { 'stage.ts': 'export const run = 1;' });
  const made = async () => {
    const { path, code, packages } = await bundle(project, 'stage.ts');
    return { path, code, packages };
  };
  const first = await made();
  fs.rmSync(first.path);
  t.deepEqual(await made(), first);
  t.true(fs.existsSync(first.path));
  fs.rmSync(project.file('node_modules/.cache'), { recursive: true });
  t.deepEqual(await made(), first);
});
