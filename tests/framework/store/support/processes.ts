import fs from 'node:fs';
import path from 'node:path';
import type { Files } from './bench.ts';
import { checkEntry, commit, files, key, makeFolder, openFresh, otherFiles, otherKey } from './bench.ts';
import { bundleChild, runChild } from './children.ts';

const all: Files = { ...files, 'long.bin': String.fromCharCode(7).repeat(100_000) };

/** A folder with the bundled child, and stores in it. */
export async function openProcesses() {
  const folder = makeFolder();
  const script = await bundleChild('kill-child', folder);
  let number = 0;

  async function newStore(): Promise<string> {
    const dir = path.join(folder, `store-${number++}`);
    await commit(openFresh(dir).store, otherFiles, otherKey);
    return dir;
  }

  /** What must be true when all have ended; commits again where none of them did. Says whether it was there. */
  async function check(dir: string): Promise<'hit' | 'miss'> {
    const { store, warnings } = openFresh(dir);
    const found = checkEntry(await store.lookup(key), all);
    if (checkEntry(await store.lookup(otherKey), otherFiles) === 'miss')
      throw new Error('the other entry is gone');
    const damage = warnings.find(({ code }) => code !== 'pending-result');
    if (damage) throw new Error(damage.message);
    const again = await runChild(script, [dir, '0', '']);
    if (again.code !== 0) throw new Error(`the next process failed: ${again.stderr}`);
    const last = openFresh(dir).store;
    if (checkEntry(await last.lookup(key), all) === 'miss') throw new Error('the next process has no entry');
    await last.collect({ keep: [key, otherKey] });
    for (const name of ['tmp', 'locks', 'pending']) {
      const left = fs.existsSync(path.join(dir, name)) ? fs.readdirSync(path.join(dir, name)) : [];
      if (left.length > 0) throw new Error(`left in ${name}: ${left.join()}`);
    }
    fs.rmSync(dir, { recursive: true });
    return found;
  }

  return {
    /** Calls of the file system of a process that isn't killed. */
    async countCalls(): Promise<number> {
      const dir = await newStore();
      const { stdout, stderr } = await runChild(script, [dir, '0', '']);
      if (stdout === '') throw new Error(stderr);
      return Number(stdout);
    },
    async kill(at: number, when: 'before' | 'after'): Promise<'hit' | 'miss'> {
      const dir = await newStore();
      const { signal, stderr } = await runChild(script, [dir, String(at), when]);
      if (signal !== 'SIGKILL') throw new Error(`not killed at call ${at}: ${stderr}`);
      return check(dir);
    },
    /** `many` processes with delays (milliseconds); `victim` of them is killed at a call. */
    async race(delays: readonly number[], victim?: { readonly at: number }): Promise<'hit' | 'miss'> {
      const dir = await newStore();
      const outcomes = await Promise.all(
        delays.map((delay, index) => {
          const args =
            victim !== undefined && index === 0 ? [dir, String(victim.at), 'before'] : [dir, '0', ''];
          return runChild(script, args, { RACE_DELAY: String(delay) });
        }),
      );
      for (const { code, signal, stderr } of outcomes)
        if (code !== 0 && signal !== 'SIGKILL') throw new Error(stderr);
      return check(dir);
    },
    close: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
