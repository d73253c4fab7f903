import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { repository } from '../support/project.ts';
import { anchorsOf, excerptsOf, linesOf, linksOf, readPages } from './markdown.ts';

const pages = readPages();
const byName = new Map(pages.map((page) => [page.name, page]));

/** Pages for readers: their prose has one width. */
const wrapped = pages.filter(({ name }) => /^(README|ARCHITECTURE|CONTRIBUTING)\.md$|^docs\//.test(name));

test('every link leads to a file that is there, and to a heading in it', (t) => {
  const broken = pages.flatMap((page) =>
    linksOf(page)
      .filter((target) => {
        const [file = '', anchor] = target.split('#');
        const name = file === '' ? page.name : path.posix.join(path.posix.dirname(page.name), file);
        if (!fs.existsSync(path.join(repository, name))) return true;
        const linked = byName.get(name);
        return anchor !== undefined && !(linked && anchorsOf(linked).has(anchor));
      })
      .map((target) => `${page.name}: ${target}`),
  );
  t.deepEqual(broken, []);
  t.true(pages.flatMap(linksOf).length > 20, 'links are found');
});

test('a package has every file that its readme links to', (t) => {
  const { files } = JSON.parse(fs.readFileSync(path.join(repository, 'package.json'), 'utf8')) as {
    readonly files: readonly string[];
  };
  const reached = ['README.md'];
  for (const name of reached) {
    const page = byName.get(name);
    for (const target of page ? linksOf(page) : []) {
      const to = path.posix.join(path.posix.dirname(name), target.split('#')[0]!).replace(/\/$/, '');
      if (!reached.includes(to)) reached.push(to);
    }
  }
  const isShipped = (name: string) => files.some((entry) => name === entry || name.startsWith(`${entry}/`));
  t.deepEqual(
    reached.filter((name) => !isShipped(name)),
    [],
  );
});

test('the readme has at most 90 lines', (t) => {
  t.true(fs.readFileSync(path.join(repository, 'README.md'), 'utf8').trimEnd().split('\n').length <= 90);
});

test('prose is wrapped at 100 columns', (t) => {
  const long = wrapped.flatMap((page) =>
    linesOf(page)
      .filter(({ text, isCode }) => !isCode && text.length > 100 && !/^\||^<!--/.test(text))
      .map(({ number }) => `${page.name}:${number}`),
  );
  t.deepEqual(long, []);
});

test('code that names its file is in that file', (t) => {
  const excerpts = pages.flatMap((page) =>
    excerptsOf(page).map((excerpt) => ({ ...excerpt, page: page.name })),
  );
  for (const { page, file, code } of excerpts) {
    const text = fs.readFileSync(path.join(repository, file), 'utf8');
    t.true(text.includes(code), `${page}: what it shows of ${file} is not in it`);
  }
  t.true(excerpts.length > 10, 'excerpts are found');
  t.is(
    excerpts.length,
    pages.flatMap(({ text }) => text.match(/^<!-- from /gm) ?? []).length,
    'each has its block of code',
  );
});

test('the reference of commands is what the command line says', async (t) => {
  const script = path.join(repository, 'bin/docs.mjs');
  await t.notThrowsAsync(promisify(execFile)(process.execPath, [script, '--check']));
});
