import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { repository } from '../../support/project.ts';

const folder = path.join(repository, 'tests/fixtures/misspelt');

/** What the compiler says of the files in the folder, by file name. */
async function compile(): Promise<Map<string, string[]>> {
  const tsc = path.join(repository, 'node_modules/typescript/bin/tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
    cwd: folder,
  }).catch((error: { stdout: string }) => error);
  const byFile = new Map<string, string[]>();
  // Lines that go on with a message are indented.
  for (const message of stdout.trimEnd().split(/\n(?! )/)) {
    const [, file = '', text = ''] = /^(\S+)\.ts\(\d+,\d+\): (.*)$/s.exec(message) ?? [];
    byFile.set(file, [...(byFile.get(file) ?? []), text]);
  }
  return byFile;
}

test('a misspelt name is one error of the compiler, which lists the names', async (t) => {
  const errors = await compile();
  t.false(errors.has('parts') || errors.has('right'), 'the file without a mistake compiles');
  const mistakes = fs.readdirSync(folder).flatMap((name) => /^(.*)\.ts$/.exec(name)?.[1] ?? []);
  for (const name of mistakes.filter((file) => file !== 'parts' && file !== 'right'))
    t.is(errors.get(name)?.length, name === 'three' ? 3 : 1, name);
  t.snapshot(Object.fromEntries([...errors].sort()));
});
