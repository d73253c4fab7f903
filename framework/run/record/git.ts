import fs from 'node:fs';
import path from 'node:path';
import { installedRoot, isWithin } from '../../code/package-root.ts';
import { outputOf } from '../../files/programs.ts';

/** The commit of a project, and what is not in it. Null outside a git tree. Names are relative to the project. */
export type Git = {
  readonly commit: string;
  /** True if a tracked file differs from the commit, git doesn't track a file of the experiment's code, or git did not say. */
  readonly dirty: boolean;
  /** Files that differ from the commit, those of the experiment first. Absent: none, or not known. */
  readonly changed?: readonly string[];
  /** Files of the experiment's code that git doesn't track: ignored, not added, or in no repository. */
  readonly untracked?: readonly string[];
  /** How many more of either there are than are named. */
  readonly unnamed?: number;
  /** Commits of other repositories that have code of the experiment (submodules, linked packages), by folder. */
  readonly others?: { readonly [folder: string]: string };
} | null;

/** Files that are named of each list. */
const mostNamed = 20;
/** For each call of git, in milliseconds: a busy machine or a slow file system takes seconds. */
const patience = 20_000;
/** Names given to one call of git. */
const mostArguments = 200;

/**
 * @param root folder of the project
 * @param files code of the experiment: absolute, without links. Installed packages count by their versions elsewhere,
 *   and are left out.
 * @returns null where no commit says anything of the project: no git, no repository, none with a commit, one that git
 *   refuses, or one that tracks nothing of the project, such as that of a home folder
 */
export async function readGit(root: string, files: readonly string[] = []): Promise<Git> {
  const real = fs.realpathSync(root);
  const own = await readTree(real);
  if (own === undefined) return null;
  try {
    return await compareWith(own, real, files);
  } catch {
    // Git knows the commit, and has not said what differs from it in time.
    return { commit: own.commit, dirty: true };
  }
}

async function compareWith(own: Tree, root: string, files: readonly string[]): Promise<Git> {
  const trees = new Map<string, Promise<Tree | undefined>>();
  const membersOf = new Map<Tree | undefined, string[]>([[own, []]]);
  for (const file of files) {
    if (isInstalled(file, root)) continue;
    const dir = markedFolder(path.dirname(file));
    if (dir !== undefined && !trees.has(dir)) trees.set(dir, readTree(dir));
    const read = dir === undefined ? undefined : await trees.get(dir);
    const tree = read?.top === own.top ? own : read;
    membersOf.set(tree, [...(membersOf.get(tree) ?? []), file]);
  }
  const untracked: string[] = [];
  const changed = new Map<string, string>();
  const others: { [folder: string]: string } = {};
  for (const [tree, members] of membersOf) {
    const name = (file: string) => nameFor(file, { root, own, tree });
    const tracked = tree === undefined ? new Map() : await listTracked(tree.top, members);
    if (tree === own && tracked.size === 0 && !(await tracksAny(own.top, root))) return null;
    if (tree !== undefined && tree !== own) others[name(tree.top)] = tree.commit;
    untracked.push(...members.filter((file) => !tracked.has(file)).map(name));
    for (const file of members)
      if (tracked.get(file) === 'hidden' || tree?.changed?.has(file)) changed.set(file, name(file));
  }
  for (const file of own.changed ?? []) changed.set(file, nameFor(file, { root, own, tree: own }));
  const found = describe(own.commit, [...changed.values()], untracked.sort(), others);
  const isKnown = [...membersOf.keys()].every((tree) => tree === undefined || tree.changed !== undefined);
  return isKnown ? found : { ...found, dirty: true };
}

function describe(
  commit: string,
  changed: readonly string[],
  untracked: readonly string[],
  others: { readonly [folder: string]: string },
): NonNullable<Git> {
  const unnamed = [changed, untracked].reduce((sum, list) => sum + Math.max(0, list.length - mostNamed), 0);
  return {
    commit,
    dirty: changed.length + untracked.length > 0,
    ...(changed.length > 0 ? { changed: changed.slice(0, mostNamed) } : {}),
    ...(untracked.length > 0 ? { untracked: untracked.slice(0, mostNamed) } : {}),
    ...(unnamed > 0 ? { unnamed } : {}),
    ...(Object.keys(others).length > 0 ? { others } : {}),
  };
}

/** Relative to the project within its repository; elsewhere without what is of this machine only. */
function nameFor(
  file: string,
  { root, own, tree }: { readonly root: string; readonly own: Tree; readonly tree: Tree | undefined },
): string {
  const isNear = isWithin(file, root) || (tree === own && isWithin(file, own.top));
  const start = tree === undefined ? path.dirname(path.dirname(file)) : path.dirname(tree.top);
  return path
    .relative(isNear ? root : start, file)
    .split(path.sep)
    .join('/');
}

interface Tree {
  /** Real path of its folder. */
  readonly top: string;
  readonly commit: string;
  /** Tracked files that differ from the commit in any way, staged or not, absolute; undefined where git did not say. */
  readonly changed: ReadonlySet<string> | undefined;
}

/** The repository that a folder is in; undefined if there is none with a commit. */
async function readTree(folder: string): Promise<Tree | undefined> {
  try {
    const top = (await git(folder, 'rev-parse', '--show-toplevel')).replace(/\n$/, '');
    const [commit, status] = await Promise.all([
      git(top, 'rev-parse', 'HEAD'),
      readStatus(top).catch(() => undefined),
    ]);
    return { top, commit: commit.trim(), changed: status };
  } catch {
    return undefined;
  }
}

async function readStatus(top: string): Promise<ReadonlySet<string>> {
  const flags = ['--porcelain', '-z', '--untracked-files=no', '--ignore-submodules=untracked'];
  const status = await git(top, 'status', ...flags);
  return new Set(filesOf(status).map((file) => path.join(top, file)));
}

/** Of `git status --porcelain -z`: `XY name`, and after a renamed or copied one its old name. */
function filesOf(status: string): string[] {
  const records = status.split('\0').slice(0, -1);
  const files: string[] = [];
  for (let index = 0; index < records.length; index++) {
    const record = records[index]!;
    files.push(record.slice(3));
    if (/[RC]/.test(record.slice(0, 2))) files.push(records[++index]!);
  }
  return files;
}

/** Files that git tracks; `hidden`: those that changed although git has been asked not to look at them. */
async function listTracked(top: string, files: readonly string[]): Promise<Map<string, 'seen' | 'hidden'>> {
  const tracked = new Map<string, 'seen' | 'hidden'>();
  for (let at = 0; at < files.length; at += mostArguments) {
    const names = files.slice(at, at + mostArguments).map((file) => path.relative(top, file));
    const listed = await git(top, '--literal-pathspecs', 'ls-files', '-z', '-v', '--stage', '--', ...names);
    for (const line of listed.split('\0').slice(0, -1)) {
      const [, tag, blob, name] = /^(.) \d+ ([0-9a-f]+) \d\t(.*)$/s.exec(line)!;
      const isUnwatched = tag === 'S' || tag !== tag!.toUpperCase(); // skip-worktree, assume-unchanged
      const differs = isUnwatched && (await git(top, 'hash-object', '--', name!)).trim() !== blob;
      tracked.set(path.join(top, name!), differs ? 'hidden' : 'seen');
    }
  }
  return tracked;
}

/** Whether git tracks any file of a folder. */
async function tracksAny(top: string, folder: string): Promise<boolean> {
  if (folder === top) return true;
  return (await git(folder, 'ls-files', '-z', '--', '.')) !== '';
}

/** The nearest folder at or above one that looks like a repository's, a submodule's or a worktree's. */
function markedFolder(folder: string): string | undefined {
  for (let dir = folder; ; dir = path.dirname(dir)) {
    if (fs.existsSync(path.join(dir, '.git'))) return dir;
    if (path.dirname(dir) === dir) return undefined;
  }
}

function isInstalled(file: string, root: string): boolean {
  const dir = installedRoot(file);
  return dir !== undefined && !isWithin(root, dir);
}

/**
 * In a git hook, or where a script has set them, variables name another repository, or an index of the moment. Only
 * those count that say how git works.
 */
const keptVariables = /^GIT_(CONFIG|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY|SSL|TRACE|TEST)/;

async function git(cwd: string, ...args: string[]): Promise<string> {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('GIT_') || keptVariables.test(name),
  );
  const env = { ...Object.fromEntries(own), GIT_OPTIONAL_LOCKS: '0' };
  return outputOf('git', args, { cwd, env, patience, most: 2 ** 26 });
}
