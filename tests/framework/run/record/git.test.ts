import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { readGit } from '../../../../framework/run/record/git.ts';
import { createProject, type Project } from '../../../support/project.ts';

const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'protocol.file.allow=always'];

// The tests may be run by a git hook, whose variables name another repository.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', [...identity, ...args], {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** Makes a folder a repository in which all is committed; returns the commit. */
function commitAll(dir: string): string {
  git(dir, 'init', '--quiet');
  git(dir, 'add', '.');
  git(dir, 'commit', '--quiet', '--message', 'all');
  return git(dir, 'rev-parse', 'HEAD');
}

const text = { '.gitignore': 'node_modules\n*.local.ts\n', 'a.ts': 'a', 'parts/b.ts': 'b' };

function read(project: Project, ...names: string[]) {
  return readGit(
    project.dir,
    names.map((name) => fs.realpathSync(project.file(name))),
  );
}

test('a tree in which all is committed is clean, with files beside that no experiment uses', async (t) => {
  const project = createProject(t, text);
  const commit = commitAll(project.dir);
  project.write({ 'notes.ts': 'not used' });
  t.deepEqual(await read(project, 'a.ts', 'parts/b.ts'), { commit, dirty: false });
});

test('a folder in no repository has no commit, and neither has a repository without one', async (t) => {
  const project = createProject(t, text);
  t.is(await read(project, 'a.ts'), null);
  git(project.dir, 'init', '--quiet');
  t.is(await read(project, 'a.ts'), null);
});

test('files of the experiment that git ignores or does not know are named, whatever they are called', async (t) => {
  const project = createProject(t, text);
  const commit = commitAll(project.dir);
  const names = ['c.local.ts', 'parts/[x] *.ts', 'Ünïcode "name".ts', 'two\nlines.ts', ':(top)a.ts', '-v.ts'];
  project.write(Object.fromEntries(names.map((name) => [name, 'new'])));
  const found = await read(project, 'a.ts', ...names);
  t.deepEqual(found, { commit, dirty: true, untracked: [...names].sort() });
});

test('what a glob in a name would match counts for nothing', async (t) => {
  const project = createProject(t, { ...text, 'x1.ts': '1' });
  const commit = commitAll(project.dir);
  project.write({ 'x?.ts': 'new' });
  t.deepEqual(await read(project, 'x?.ts'), { commit, dirty: true, untracked: ['x?.ts'] });
});

test('changed files are named, those of the experiment first: edited, staged only, renamed, deleted', async (t) => {
  const project = createProject(t, {
    ...text,
    'a0.ts': '0',
    'old name.ts': 'long enough to be found again',
    'z.ts': 'z',
  });
  const commit = commitAll(project.dir);
  git(project.dir, 'mv', 'old name.ts', 'RM new.ts');
  project.remove('a0.ts');
  project.edit('z.ts', 'z', 'y');
  project.edit('parts/b.ts', 'b', 'c');
  git(project.dir, 'add', 'parts/b.ts');
  project.edit('parts/b.ts', 'c', 'b'); // as in the commit, but not as in the index
  const found = await read(project, 'a.ts', 'parts/b.ts', 'RM new.ts', 'z.ts');
  t.deepEqual(found, {
    commit,
    dirty: true,
    changed: ['parts/b.ts', 'RM new.ts', 'z.ts', 'old name.ts', 'a0.ts'],
  });
});

test('a file that was only added is a change, one that git should not watch too', async (t) => {
  const project = createProject(t, text);
  const commit = commitAll(project.dir);
  project.write({ 'new.ts': 'new' });
  git(project.dir, 'add', '--intent-to-add', 'new.ts');
  git(project.dir, 'update-index', '--assume-unchanged', 'a.ts');
  git(project.dir, 'update-index', '--skip-worktree', 'parts/b.ts');
  t.deepEqual(await read(project, 'a.ts', 'parts/b.ts', 'new.ts'), {
    commit,
    dirty: true,
    changed: ['new.ts'],
  });
  project.edit('a.ts', 'a', 'other');
  t.deepEqual((await read(project, 'a.ts', 'parts/b.ts', 'new.ts'))?.changed, ['a.ts', 'new.ts']);
});

test('a project in a folder of a repository names files from there', async (t) => {
  const project = createProject(t, { 'one/package.json': '{}', 'one/a.ts': 'a', 'shared/b.ts': 'b' });
  const commit = commitAll(project.dir);
  project.edit('shared/b.ts', 'b', 'c');
  project.write({ 'shared/d.ts': 'd' });
  const files = ['one/a.ts', 'shared/b.ts', 'shared/d.ts'].map((name) => project.file(name));
  t.deepEqual(await readGit(project.file('one'), files), {
    commit,
    dirty: true,
    changed: ['../shared/b.ts'],
    untracked: ['../shared/d.ts'],
  });
});

test('code in other repositories has their commits; code in none is not in git', async (t) => {
  const project = createProject(t, {
    'home/a.ts': 'a',
    'library/b.ts': 'b',
    'library/e.ts': 'e',
    'loose/deep/c.ts': 'c',
  });
  const commit = commitAll(project.file('home'));
  const other = commitAll(project.file('library'));
  project.write({ 'library/d.ts': 'd' });
  project.edit('library/e.ts', 'e', 'f');
  const files = ['home/a.ts', 'library/b.ts', 'library/d.ts', 'library/e.ts', 'loose/deep/c.ts'];
  t.deepEqual(
    await readGit(
      project.file('home'),
      files.map((name) => project.file(name)),
    ),
    {
      commit,
      dirty: true,
      changed: ['library/e.ts'],
      untracked: ['deep/c.ts', 'library/d.ts'],
      others: { library: other },
    },
  );
});

test('a submodule has a commit of its own; a file in it that nothing tracks is named', async (t) => {
  const project = createProject(t, { 'library/b.ts': 'b', 'home/a.ts': 'a' });
  const other = commitAll(project.file('library'));
  git(project.file('home'), 'init', '--quiet');
  git(project.file('home'), 'submodule', '--quiet', 'add', '../library', 'below/library');
  const commit = commitAll(project.file('home'));
  const files = () => ['home/a.ts', 'home/below/library/b.ts'].map((name) => project.file(name));
  const others = { 'below/library': other };
  t.deepEqual(await readGit(project.file('home'), files()), { commit, dirty: false, others });
  project.write({ 'home/below/library/c.ts': 'c' });
  t.deepEqual(await readGit(project.file('home'), [...files(), project.file('home/below/library/c.ts')]), {
    commit,
    dirty: true,
    untracked: ['below/library/c.ts'],
    others,
  });
});

test('installed packages are no code of the project, a project below a folder called node_modules is', async (t) => {
  const project = createProject(t, {
    'node_modules/home/a.ts': 'a',
    'node_modules/home/node_modules/far/b.ts': 'b',
  });
  const root = project.file('node_modules/home');
  fs.writeFileSync(path.join(root, '.gitignore'), 'node_modules\n');
  const commit = commitAll(root);
  const files = ['a.ts', 'node_modules/far/b.ts'].map((name) => path.join(root, name));
  t.deepEqual(await readGit(root, files), { commit, dirty: false });
  fs.writeFileSync(path.join(root, 'c.ts'), 'c');
  t.deepEqual(await readGit(root, [...files, path.join(root, 'c.ts')]), {
    commit,
    dirty: true,
    untracked: ['c.ts'],
  });
});

test('of many files some are named, the others counted', async (t) => {
  const project = createProject(t, text);
  const commit = commitAll(project.dir);
  const names = Array.from({ length: 450 }, (_, index) => `many/${String(index).padStart(3, '0')}.ts`);
  project.write(Object.fromEntries(names.map((name) => [name, 'new'])));
  t.deepEqual(await read(project, ...names), {
    commit,
    dirty: true,
    untracked: names.slice(0, 20),
    unnamed: 430,
  });
});

/** Reads with variables set; then they are as they were. */
async function readWith(
  variables: { readonly [name: string]: string },
  project: Project,
  ...names: string[]
) {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    return await read(project, ...names);
  } finally {
    process.env = before;
  }
}

test.serial('variables of a git hook that runs the command lead nowhere else', async (t) => {
  const project = createProject(t, { ...text, 'other/x.ts': 'x' });
  const commit = commitAll(project.dir);
  commitAll(project.file('other'));
  const other = project.file('other/.git');
  const variables = {
    GIT_DIR: other,
    GIT_WORK_TREE: project.file('other'),
    GIT_INDEX_FILE: path.join(other, 'index'),
    GIT_COMMON_DIR: other,
    GIT_OBJECT_DIRECTORY: path.join(other, 'objects'),
    GIT_NAMESPACE: 'x',
    GIT_PREFIX: 'parts/',
    GIT_ICASE_PATHSPECS: '1',
  };
  t.deepEqual(await readWith(variables, project, 'a.ts'), { commit, dirty: false });
});

test.serial(
  'where git is missing or refuses the repository of another user there is no commit',
  async (t) => {
    const project = createProject(t, text);
    commitAll(project.dir);
    // As git's own tests make another owner.
    t.is(await readWith({ GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }, project, 'a.ts'), null);
    t.is(await readWith({ PATH: project.dir }, project, 'a.ts'), null);
  },
);

test('a shallow clone has its commit', async (t) => {
  const project = createProject(t, { 'home/a.ts': 'a' });
  commitAll(project.file('home'));
  project.edit('home/a.ts', 'a', 'b');
  const commit = commitAll(project.file('home'));
  git(project.dir, 'clone', '--quiet', '--depth', '1', `file://${project.file('home')}`, 'clone');
  const files = [fs.realpathSync(project.file('clone/a.ts'))];
  t.deepEqual(await readGit(project.file('clone'), files), { commit, dirty: false });
});

test('a repository above that tracks nothing of the project says nothing of it, until it tracks something', async (t) => {
  const project = createProject(t, { dotfile: 'x', 'one/a.ts': 'a', 'shared/b.ts': 'b' });
  fs.writeFileSync(project.file('.gitignore'), '*\n');
  git(project.dir, 'init', '--quiet');
  git(project.dir, 'add', '--force', 'dotfile', 'shared/b.ts');
  git(project.dir, 'commit', '--quiet', '--message', 'some');
  const commit = git(project.dir, 'rev-parse', 'HEAD');
  const [own, shared] = ['one/a.ts', 'shared/b.ts'].map((name) => fs.realpathSync(project.file(name)));
  t.is(await readGit(project.file('one'), [own!]), null);
  t.like(await readGit(project.file('one'), [own!, shared!]), { commit, untracked: ['a.ts'] });
});
