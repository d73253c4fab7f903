import fs from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { type Change, changesOf, describeChange } from '../../../framework/experiment/changes/change.ts';
import {
  checkResultsFolder,
  nameFile,
  type ResultsRecord,
  recordKind,
  resultsFolderName,
} from '../../../framework/run/results-folder.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import type { Json } from '../../../framework/stage/json.ts';
import { createProject, portable } from '../../support/project.ts';

const set = (path: string, to: Json, from: Json = null): Change => ({ by: 'set', path, from, to });

test('a changed experiment has a folder that says what was changed; the plain one keeps its name', (t) => {
  t.is(resultsFolderName('p', []), 'p');
  t.snapshot(
    [
      [set('tokenizers.peco.codebook.size', 512)],
      [set('tokenizers.peco.codebook.size', 512), set('tokenizers.beit.codebook.size', 512)],
      [{ by: 'seeds', path: 'seeds', from: [0], to: [0, 1] } as const],
      [{ by: 'sweep', path: 'tokenizers.peco.codebook.size', to: [128, 256] } as const],
      [set('data.train.folder', '../some where/else?')],
      [set('report.columns', [{ metric: 'top1', label: 'x' }])],
      [set('a.b', ''), set('a.c', ' . ')],
    ].map((changes) => resultsFolderName('p', changes)),
  );
});

const change = fc.record({
  by: fc.constant('set' as const),
  path: fc
    .array(fc.stringMatching(/^[A-Za-z0-9_-]+$/), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join('.')),
  from: fc.constant(null),
  to: fc.jsonValue() as fc.Arbitrary<Json>,
});

test('folder names are short, valid on every file system, and differ where the changes differ', (t) => {
  const changes = fc.uniqueArray(change, { minLength: 1, maxLength: 30, selector: ({ path }) => path });
  fc.assert(
    fc.property(changes, changes, (a, b) => {
      const [one, other] = [resultsFolderName('p', a), resultsFolderName('p', b)];
      t.regex(one, /^p@[A-Za-z0-9_.+=,-]*-[0-9a-f]{10}$/);
      t.true(one.length <= 80);
      // Also where capital letters don't count.
      const meaning = (list: typeof a) => JSON.stringify(list.map(({ path, to }) => [path, to]));
      if (JSON.parse(meaning(a)) && meaning(a) !== meaning(b) && !hasNegativeZero([a, b]))
        t.not(one.toLowerCase(), other.toLowerCase());
    }),
    { seed: 4, numRuns: 500 },
  );
});

/** -0 and 0 are one number in a config. */
function hasNegativeZero(value: unknown): boolean {
  if (Object.is(value, -0)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNegativeZero);
}

test('the order of flags makes no difference, and the last of several for a field counts', (t) => {
  const override = (path: string, from: Json, to: Json) => ({ path, from, to });
  const a = changesOf([override('x', 1, 2), override('y', 1, 3), override('x', 2, 4)], { b: [1], a: [2] });
  t.deepEqual(a, changesOf([override('y', 1, 3), override('x', 1, 4)], { a: [2], b: [1] }));
  t.deepEqual(a.map(describeChange), [
    'a: swept over 2',
    'b: swept over 1',
    'x: 4 instead of 1',
    'y: 3 instead of 1',
  ]);
  // There and back again.
  t.deepEqual(changesOf([override('x', 1, 2), override('y', 1, 3), override('x', 2, 1)], {}), [
    set('y', 3, 1),
  ]);
  t.is(describeChange(set('x', 'a b')), 'x: a b, which the file does not set');
});

test('a folder of tables is of one experiment file: another of the same name is refused with both', (t) => {
  const project = createProject(t, { 'a.ts': '', 'deep/b.ts': '' });
  const [a, b] = [project.file('a.ts'), project.file('deep/b.ts')];
  const record = (file: string): Partial<ResultsRecord> => ({
    what: recordKind,
    format: 1,
    experiment: 'p',
    file,
    files: [],
  });
  const write = (file: string) => project.write({ 'results/p/run.json': JSON.stringify(record(file)) });
  const folder = project.file('results/p');
  t.notThrows(() => checkResultsFolder(folder, a));
  write(nameFile(a, folder, project.dir));
  t.notThrows(() => checkResultsFolder(folder, a));
  t.snapshot(portable(formatError(t.throws(() => checkResultsFolder(folder, b))), project));
  // Renamed: the tables are its own.
  fs.renameSync(a, project.file('renamed.ts'));
  t.notThrows(() => checkResultsFolder(folder, project.file('renamed.ts')));
});

test('a record names the file so that it is found where the project moves, and in two projects with one results folder', (t) => {
  const project = createProject(t, { 'one/exp.ts': '', 'two/exp.ts': '' });
  const one = (folder: string) =>
    nameFile(project.file('one/exp.ts'), project.file(folder), project.file('one'));
  t.is(one('one/results/p'), '../../exp.ts');
  t.is(one('shared/p'), project.file('one/exp.ts'));
  project.write({
    'shared/p/run.json': JSON.stringify({
      what: recordKind,
      format: 1,
      experiment: 'p',
      file: one('shared/p'),
      files: [],
    }),
  });
  t.notThrows(() => checkResultsFolder(project.file('shared/p'), project.file('one/exp.ts')));
  t.throws(() => checkResultsFolder(project.file('shared/p'), project.file('two/exp.ts')), {
    message: /has the results of .*one\/exp\.ts.* as well as that of .*two\/exp\.ts/,
  });
});

test('files of others by the names of ours are refused before a run', (t) => {
  const project = createProject(t, {
    'a/run.json': '{"scripts":{}}',
    'b/config.json': '{}',
    'c/timing.csv': 'mine',
    'd/notes.md': 'mine',
    'e/run.json': 'null',
  });
  const told = ['a', 'b', 'c', 'e'].map((folder) =>
    portable(
      formatError(t.throws(() => checkResultsFolder(project.file(folder), project.file('a.ts')))),
      project,
    ),
  );
  t.snapshot(told);
  t.notThrows(() => checkResultsFolder(project.file('d'), project.file('a.ts')));
  t.notThrows(() => checkResultsFolder(project.file('not-there'), project.file('a.ts')));
});

test('a place where no folder can be is refused before a run, and nothing is made there', (t) => {
  const project = createProject(t, { 'table.csv': 'mine' });
  fs.symlinkSync('gone', project.file('dangling'));
  const check = (folder: string) => checkResultsFolder(project.file(folder), project.file('a.ts'));
  t.snapshot(
    ['table.csv', 'table.csv/p', 'table.csv/deep/p', 'dangling', 'dangling/p'].map((folder) =>
      portable(formatError(t.throws(() => check(folder))), project),
    ),
  );
  t.false(fs.existsSync(project.file('gone')));
  fs.mkdirSync(project.file('gone'));
  t.notThrows(() => check('dangling/p'));
});

// The administrator may write everywhere.
const skipIf = process.getuid?.() === 0 ? test.skip : test;
skipIf('a folder that may not be written to is an error before a run', (t) => {
  const project = createProject(t, {});
  fs.mkdirSync(project.file('closed'), { mode: 0o555 });
  t.throws(() => checkResultsFolder(project.file('closed/p'), project.file('a.ts')), {
    message: /closed: no permission|no permission to write .*closed/,
  });
});
