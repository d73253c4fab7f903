import test, { type ExecutionContext } from 'ava';
import { loadSettings } from '../../../framework/settings/settings.ts';
import { formatError } from '../../../framework/stage/errors.ts';
import { createProject, portable } from '../../support/project.ts';

const forms: { readonly [file: string]: string } = {
  'peco.config.ts': "const jobs: number = 3;\nexport default { store: 'there', jobs };\n",
  'peco.config.mjs': "export default { store: 'there', jobs: 3 };\n",
  'peco.config.js': "export default { store: 'there', jobs: 3 };\n",
  'peco.config.cjs': "module.exports = { store: 'there', jobs: 3 };\n",
  'peco.config.mts': "const jobs: number = 3;\nexport default { store: 'there', jobs };\n",
  '.pecorc.js': "export default { store: 'there', jobs: 3 };\n",
  'peco.config.json': '{ "store": "there", "jobs": 3 }',
  '.pecorc': 'store: there\njobs: 3\n',
  '.pecorc.json': '{ "store": "there", "jobs": 3 }',
  '.pecorc.yaml': 'store: there\njobs: 3\n',
  'package.json': '{ "name": "fixture", "peco": { "store": "there", "jobs": 3 } }',
};

for (const [name, text] of Object.entries(forms)) {
  test(`settings are read from ${name}, also from a folder below`, async (t) => {
    const project = createProject(t, { [name]: text, 'a/b/file': '' });
    const expected = { settings: { store: 'there', jobs: 3 }, file: project.file(name) };
    t.deepEqual(await loadSettings(project.dir), expected);
    t.deepEqual(await loadSettings(project.file('a/b')), expected);
  });

  test(`settings are read from ${name} behind a byte order mark`, async (t) => {
    const { dir } = createProject(t, { [name]: `\uFEFF${text}` });
    t.deepEqual((await loadSettings(dir)).settings, { store: 'there', jobs: 3 });
  });
}

test('without a settings file there are none', async (t) => {
  t.deepEqual(await loadSettings(createProject(t, {}).dir), { settings: {} });
});

test('the nearest file wins', async (t) => {
  const project = createProject(t, { '.pecorc': 'jobs: 1', 'a/.pecorc': 'jobs: 2' });
  t.deepEqual((await loadSettings(project.file('a'))).settings, { jobs: 2 });
});

async function messageOf(t: ExecutionContext, files: { readonly [name: string]: string }): Promise<string> {
  const project = createProject(t, files);
  const error = await t.throwsAsync(loadSettings(project.dir));
  return portable(formatError(error), project);
}

test('wrong settings name the file, the field and the fix', async (t) => {
  t.snapshot(await messageOf(t, { 'peco.config.ts': "export default { stoer: 'x', jobs: 0, engine: 3 };" }));
});

test('settings that are a function, or have one, are said to be', async (t) => {
  t.snapshot(await messageOf(t, { 'peco.config.ts': 'export default async () => ({ jobs: 1 });' }));
  t.snapshot(await messageOf(t, { 'peco.config.ts': 'export default { jobs: () => 1 };' }));
});

test('settings that export nothing by default are refused: they would change nothing', async (t) => {
  t.snapshot(await messageOf(t, { 'peco.config.ts': 'export const jobs = 1;' }));
  t.snapshot(await messageOf(t, { 'peco.config.js': '' }));
});

test('broken settings files name the file', async (t) => {
  t.snapshot(await messageOf(t, { 'peco.config.ts': 'export default {' }));
  // Node words the rest, differently in every version.
  t.regex(
    await messageOf(t, { 'peco.config.json': '{ "jobs": }' }),
    /^the settings in peco\.config\.json can't be read: .*\n {2}write JSON/,
  );
});
