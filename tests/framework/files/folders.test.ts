import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { packFolderMemory, readFolderMemory } from '../../../framework/files/folder-memory.ts';
import { noPool, openFolderPool } from '../../../framework/files/folder-pool.ts';
import { sweepFolder } from '../../../framework/files/folder-sweep.ts';
import { digestFolder, type FolderManifest, type Hashing } from '../../../framework/files/folders.ts';
import { digestJson } from '../../../framework/stage/canonical.ts';
import { createProject } from '../../support/project.ts';

type Files = { readonly [file: string]: string };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const past = new Date('2020-01-01');

/** Files that were there for long, so that their stat is believed. */
function write(root: string, files: Files): void {
  fs.mkdirSync(root, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
}

/** Waits until the stat of what was just written is believed. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 120));

/** How much was hashed, and the digest. */
async function look(root: string, memory: string) {
  const hashings: Hashing[] = [];
  const { digest, manifests } = await digestFolder(root, memory, {
    fresh: true,
    onHashing: (one) => hashings.push(one),
  });
  return { digest, manifests, hashed: hashings.at(-1)?.of ?? 0 };
}

/** The manifest of a folder by its definition, and the digests of all below, without the code under test. */
function manifestOf(files: Files, all = new Map<string, FolderManifest>()): string {
  const own: { [name: string]: [number, string] } = {};
  const inside = new Map<string, { [name: string]: string }>();
  for (const [name, text] of Object.entries(files)) {
    const at = name.indexOf('/');
    if (at < 0) own[name] = [Buffer.byteLength(text), sha256(text)];
    else {
      const below = inside.get(name.slice(0, at)) ?? {};
      below[name.slice(at + 1)] = text;
      inside.set(name.slice(0, at), below);
    }
  }
  const folders = Object.fromEntries([...inside].map(([name, below]) => [name, manifestOf(below, all)]));
  const manifest = { format: 2 as const, files: own, folders };
  const digest = digestJson(manifest as never);
  all.set(digest, manifest);
  return digest;
}

function temporary(t: ExecutionContext): { readonly root: string; readonly memory: string } {
  const project = createProject(t, {});
  return { root: project.file('data'), memory: project.file('memory') };
}

test('the digest of a folder is that of its manifest, which has the digests of those in it, whatever the names', async (t) => {
  const name = fc.constantFrom('a', 'a-b', 'a.b', 'B', '10', '9', 'é', '__proto__', 'a b', '"', 'zz');
  const file = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `${names.join('/')}.x`);
  const tree = fc.dictionary(file, fc.string({ maxLength: 3 }), { maxKeys: 8 });
  await fc.assert(
    fc.asyncProperty(tree, async (files) => {
      const { root, memory } = temporary(t);
      write(root, files);
      fs.mkdirSync(path.join(root, 'nothing/in it'), { recursive: true });
      const expected = new Map<string, FolderManifest>();
      const digest = manifestOf(files, expected);
      const first = await look(root, memory);
      t.is(first.digest, digest as never);
      const made = [...first.manifests].map(([key, make]): [string, FolderManifest] => [key, make()]);
      t.deepEqual(made.sort(), [...expected].sort());
      // Again from what was remembered.
      t.is((await look(root, memory)).digest, digest as never);
    }),
    { numRuns: 15 },
  );
});

test('a file is hashed once; one that changed, was added or went away is noticed', async (t) => {
  const { root, memory } = temporary(t);
  const files: { [file: string]: string } = { 'ant/1.png': 'one', 'ant/2.png': 'two', 'bee/3.png': 'three' };
  write(root, files);
  await settle();
  t.is((await look(root, memory)).hashed, 11);
  t.is((await look(root, memory)).hashed, 0);
  const edit = async (change: Files, hashed: number): Promise<void> => {
    write(root, change);
    Object.assign(files, change);
    await settle();
    const seen = await look(root, memory);
    t.is(seen.hashed, hashed);
    t.is(seen.digest, manifestOf(files) as never);
  };
  await edit({ 'ant/1.png': 'One' }, 3);
  await edit({ 'bee/4.png': 'four' }, 4);
  await edit({ 'cat/5.png': 'five5' }, 5);
  fs.rmSync(path.join(root, 'ant/2.png'));
  delete files['ant/2.png'];
  await edit({}, 0);
  // Neither size nor time of modification tell.
  const { mtime } = fs.statSync(path.join(root, 'bee/3.png'));
  write(root, { 'bee/3.png': 'THREE' });
  fs.utimesSync(path.join(root, 'bee/3.png'), mtime, mtime);
  files['bee/3.png'] = 'THREE';
  await edit({}, 5);
});

test('an interrupted hashing resumes: what was hashed until then is not hashed again', async (t) => {
  const { root, memory } = temporary(t);
  write(root, { 'ant/1': 'one', 'ant/2': 'two', 'bee/3': 'three' });
  await settle();
  const { digest } = await look(root, memory);
  const whole = readFolderMemory(memory)!;
  // As it is written on the way: of some files nothing is known yet.
  const parts = whole.parts.map((part) =>
    part.dir === 'ant'
      ? { ...part, at: Float64Array.of(part.at[0]!, 0), digest: '' }
      : { ...part, digest: '' },
  );
  fs.writeFileSync(memory, Buffer.concat(packFolderMemory({ digest: '', parts })));
  // Interrupted while it was written; one of a process that may still be at it.
  for (const name of ['1.1', '2.2']) fs.writeFileSync(`${memory}.${name}`, 'half of it');
  fs.utimesSync(`${memory}.1.1`, past, past);
  const resumed = await look(root, memory);
  t.deepEqual([resumed.digest, resumed.hashed], [digest, 3]);
  t.deepEqual([fs.existsSync(`${memory}.1.1`), fs.existsSync(`${memory}.2.2`)], [false, true]);
});

test('a broken memory is forgotten, at whichever byte it broke', async (t) => {
  const { root, memory } = temporary(t);
  write(root, { 'ant/1': 'one', '2': 'two' });
  await settle();
  const { digest } = await look(root, memory);
  const bytes = fs.readFileSync(memory);
  for (let at = 0; at < bytes.length; at++) {
    const broken = Buffer.from(bytes);
    broken[at]! ^= 1 << (at % 8);
    fs.writeFileSync(memory, broken);
    const read = readFolderMemory(memory);
    // The four bytes of the prologue that say nothing.
    t.true(read === undefined || (at >= 12 && at < 16), `byte ${at}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    fs.writeFileSync(memory, bytes.subarray(0, length));
    t.is(readFolderMemory(memory), undefined);
  }
  t.is((await look(root, memory)).digest, digest);
});

test('links count by what they lead to, and a link to a folder above ends there', async (t) => {
  const { root, memory } = temporary(t);
  write(root, { 'ant/1': 'one' });
  write(`${root}-elsewhere`, { '2': 'two' });
  fs.symlinkSync(`${root}-elsewhere`, path.join(root, 'bee'));
  fs.symlinkSync('../ant/1', path.join(root, 'ant/3'));
  fs.symlinkSync('..', path.join(root, 'ant/up'));
  const { digest } = await look(root, memory);
  t.is(digest, manifestOf({ 'ant/1': 'one', 'ant/3': 'one', 'bee/2': 'two' }) as never);
  fs.symlinkSync('nowhere', path.join(root, 'ant/4'));
  await t.throwsAsync(look(root, memory), { code: 'ENOENT', message: /ant\/4/ });
});

test('threads find what this one finds, errors with their file included', async (t) => {
  const { root } = temporary(t);
  write(root, { 'ant/1': 'one', 'ant/2': 'x'.repeat(3 << 20), 'ant/3': '' });
  fs.utimesSync(path.join(root, 'ant/1'), past, past);
  const [folder, files] = [
    path.join(root, 'ant'),
    ['1', '2', '3'].map((name) => path.join(root, 'ant', name)),
  ];
  const pool = await openFolderPool();
  try {
    t.deepEqual(await pool.list(folder), await noPool.list(folder));
    const digests = Buffer.from(await pool.hash(files)).toString('hex');
    t.is(digests, sha256('one') + sha256('x'.repeat(3 << 20)) + sha256(''));
    t.is(digests, Buffer.from(await noPool.hash(files)).toString('hex'));
    for (const hash of [pool.hash, noPool.hash])
      await t.throwsAsync(hash([path.join(root, 'nowhere')]), { code: 'ENOENT' });
    await t.throwsAsync(pool.hash([folder]), { code: 'EISDIR', message: /EISDIR/ });
  } finally {
    await pool.close();
  }
});

test('a look that has to be fresh begins after it was asked for, and several share one', async (t) => {
  const { root } = temporary(t);
  write(root, { '1': 'one' });
  const first = sweepFolder(root);
  const [second, third] = [sweepFolder(root, { fresh: true }), sweepFolder(root, { fresh: true })];
  write(root, { '2': 'two' });
  t.is((await first).parts[0]!.names, '1');
  t.is((await second).parts[0]!.names, '1/2');
  t.is(await second, await third);
});
