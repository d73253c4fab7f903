/**
 * A process that commits, and is killed with SIGKILL at one of its calls of the file system. Bundled to plain
 * JavaScript by the test. Arguments: the store's folder, the number of the call (0: none), `before` or `after` it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { openStore } from '../../../../framework/store/store.ts';
import { files, fingerprint, key, writeFiles } from './bench.ts';

const [dir, at, when] = process.argv.slice(2) as [string, string, string];
const names = ['readFileSync', 'lstatSync', 'statSync', 'readdirSync', 'existsSync'] as const;
const promiseNames = [
  'writeFile',
  'mkdir',
  'rename',
  'rm',
  'link',
  'chmod',
  'lstat',
  'readdir',
  'open',
  'utimes',
] as const;
let calls = 0;

function countCalls(owner: object, name: string): void {
  const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
  Reflect.set(owner, name, (...args: unknown[]) => {
    if (!String(args[0]).startsWith(dir)) return original.apply(owner, args);
    calls += 1;
    const mine = calls === Number(at);
    if (mine && when === 'before') process.kill(process.pid, 'SIGKILL');
    const die = () => process.kill(process.pid, 'SIGKILL');
    let result: unknown;
    try {
      result = original.apply(owner, args);
    } catch (error) {
      if (mine) die();
      throw error;
    }
    if (!mine) return result;
    return result instanceof Promise ? result.then(die, die) : die();
  });
}

for (const name of names) countCalls(fs, name);
for (const name of promiseNames) countCalls(fs.promises, name);

const store = openStore(dir);
const leave = await store.enter();
const release = await store.lock(key);
if ((await store.lookup(key)) === undefined) {
  const outDir = await store.newOutDir();
  writeFiles(outDir, files);
  fs.writeFileSync(path.join(outDir, 'long.bin'), Buffer.alloc(100_000, 7));
  // The order in which two processes come here is not ours to choose: each waits for some time of its own.
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.RACE_DELAY ?? 0)));
  await store.commit(key, { outDir, fingerprint, provenance: { engine: 'fake', pid: process.pid } });
}
await release();
await leave();
process.stdout.write(String(calls));
