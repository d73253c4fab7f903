import { createHash } from 'node:crypto';
import fs from 'node:fs';
import test from 'ava';
import { bundleModules } from '../../../framework/experiment/bundle.ts';
import { loadBundles } from '../../../framework/experiment/modules.ts';
import { createProject } from '../support/project.ts';

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

test('what a module imports of Node itself is told, and what peco-exp imports is not', async (t) => {
  const project = createProject(t, {
    'entry.ts':
      "import { readFileSync } from 'node:fs';\nimport './other.ts';\nexport const read = readFileSync;\n",
    'other.ts': "import path from 'path';\nexport const join = path.join;\n",
  });
  const entry = project.file('entry.ts');
  t.deepEqual((await bundleModules([entry], project.dir)).get(entry)!.builtins, ['fs', 'path']);
});
