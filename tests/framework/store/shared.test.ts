import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { openStore } from '../../../framework/store/store.ts';
import { createProject } from '../../support/project.ts';

/** Writes into a store under a umask, and says how all of it may be used: of folders and files, each mode once. */
async function modesIn(store: string, umask: number): Promise<string[]> {
  const before = process.umask(umask);
  try {
    const opened = openStore(store);
    const release = await opened.lock('0'.repeat(64) as never);
    await opened.workDir('1'.repeat(64) as never);
    const names = fs.readdirSync(store, { recursive: true, encoding: 'utf8' });
    const modes = names.map((name) => {
      const stat = fs.statSync(path.join(store, name));
      return `${stat.isDirectory() ? 'd' : '-'}${(stat.mode & 0o777).toString(8)}`;
    });
    await release();
    return [...new Set(modes)].sort();
  } finally {
    process.umask(before);
  }
}

test.serial(
  'what is written into a store that its group may write, the group may use, whatever the umask',
  async (t) => {
    const project = createProject(t, {});
    for (const [name, mode] of [
      ['own', 0o755],
      ['open', 0o755],
      ['shared', 0o775],
    ] as const) {
      fs.mkdirSync(project.file(name));
      fs.chmodSync(project.file(name), mode);
    }
    t.deepEqual(await modesIn(project.file('own'), 0o077), ['-600', 'd700']);
    t.deepEqual(await modesIn(project.file('shared'), 0o077), ['-660', 'd770']);
    t.deepEqual(await modesIn(project.file('open'), 0o022), ['-644', 'd755']);
  },
);
