import test, { type ExecutionContext } from 'ava';
import { loadExperiment } from '../../../framework/experiment/load.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { type Project, portable } from '../../support/project.ts';
import { createFakeProject } from '../../support/simulate.ts';

async function load(t: ExecutionContext, edit: (project: Project) => void): Promise<string> {
  const project = createFakeProject(t);
  edit(project);
  return loadExperiment('experiment.ts', { cwd: project.dir }).then(
    () => 'valid',
    (error: unknown) => portable(formatError(error), project),
  );
}

const stage = 'parts/tokenizer/stage.ts';

/** Texts of a module that exports no function `run`. */
const lacking: { readonly [what: string]: string } = {
  'another name': 'export async function train() { return {}; }',
  nothing: 'export {};',
  'a comment only': '// export function run() {}\n/*\nexport function run() {}\n*/\nexport const go = 1;',
  'a type': 'export interface run { readonly a: 1 }\nexport type { run as other } from "./load.ts";',
  'a default': 'export default async function run() { return {}; }',
  CommonJS: 'module.exports = { run() { return {}; } };',
  'all of a module that lacks it': 'export * from "./codes.ts";',
};

for (const [what, text] of Object.entries(lacking)) {
  test(`a module that exports ${what} is refused before anything runs`, async (t) => {
    t.snapshot(await load(t, (project) => project.write({ [stage]: text })));
  });
}

const having: { readonly [what: string]: string } = {
  'a constant': 'export const run = async () => ({});',
  'a list': 'async function run() { return {}; }\nexport { run };',
  'another name for it': 'async function train() { return {}; }\nexport { train as run };',
  'that of another module': 'export { train as run } from "../common.ts";',
  'all of a module that has it': 'export * from "./other.ts";',
  'a generator, odd as it is': 'export async function* run() {}',
};

for (const [what, text] of Object.entries(having)) {
  test(`a module may export it as ${what}`, async (t) => {
    const other = 'export async function run() { return {}; }';
    t.is(
      await load(t, (project) => project.write({ [stage]: text, 'parts/tokenizer/other.ts': other })),
      'valid',
    );
  });
}

test('errors of modules that are not there name their component and near names', async (t) => {
  t.snapshot(await load(t, (project) => project.remove(stage)), 'run');
  t.snapshot(await load(t, (project) => project.remove('parts/data/load.ts')), 'load');
  t.snapshot(
    await load(t, (project) => project.edit('parts/network/config.ts', './stage.ts', './stages.ts')),
    'of a nested component',
  );
});

test('the address of a module is a URL of a file', async (t) => {
  const url = "new URL('./stage.ts', import.meta.url).href";
  for (const other of ["'./stage.ts'", "'https://example.com/stage.ts'", 'import.meta.dirname'])
    t.snapshot(await load(t, (project) => project.edit('parts/evaluation/config.ts', url, other)), other);
});

test('a component that only a stage can make needs one', async (t) => {
  const run = "run: new URL('./stage.ts', import.meta.url).href,";
  t.snapshot(await load(t, (project) => project.edit('parts/downstream/config.ts', run, '')));
});
