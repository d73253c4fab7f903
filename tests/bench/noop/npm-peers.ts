import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { codeFile, commandOf, listStages, makeCode, outputOf, type Stage, writeFiles } from './graph.ts';
import { type Tool, versionOf } from './tools.ts';

/** Makes the folder that `--peers` wants. */
export const installPeers = (dir: string) =>
  `npm install --prefix ${dir} --no-audit --no-fund turbo@2.11.11 wireit@0.14.13 nx@24.0.6 @moonrepo/cli@2.5.5`;

/** Build tools from npm. `peers` is a folder whose node_modules has them. */
export function npmPeers(peers: string): Tool[] {
  const modules = path.join(path.resolve(peers), 'node_modules');
  const binary = (name: string) => path.join(modules, '.bin', name);
  const packaged = (name: string) => {
    const file = path.join(modules, name, 'package.json');
    return fs.existsSync(file)
      ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version
      : undefined;
  };

  /** A project of the usual kind: in git, outputs ignored, the peers as its dependencies. */
  function writeProject(
    dir: string,
    inGraph: string,
    files: { readonly [name: string]: string | object },
  ): void {
    writeFiles(dir, {
      '.gitignore': 'node_modules\nout\nran.log\n.*\n!.gitignore\n!.moon\n.moon/cache\n',
      [path.join(inGraph, codeFile)]: makeCode(),
      ...files,
    });
    fs.mkdirSync(path.join(dir, inGraph, 'out'));
    fs.symlinkSync(modules, path.join(dir, 'node_modules'));
    for (const args of [
      ['init', '-q'],
      ['add', '-A'],
      ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '-qm', 'graph'],
    ]) {
      const { status, stderr } = spawnSync('git', args, { cwd: dir, encoding: 'utf8' });
      if (status !== 0) throw new Error(`git ${args[0]}: ${stderr}`);
    }
  }

  const turbo: Tool = {
    name: 'turbo',
    note: 'one package with a script a stage; `turbo run all --output-logs=errors-only`',
    version: () => packaged('turbo'),
    write(dir, shape) {
      const stages = listStages(shape);
      writeProject(dir, 'graph', {
        'package.json': {
          name: 'bench',
          private: true,
          packageManager: `npm@${versionOf('npm') ?? '10.0.0'}`,
          workspaces: ['graph'],
        },
        // As `npm install` writes it; without one, turbo warns.
        'package-lock.json': {
          name: 'bench',
          lockfileVersion: 3,
          requires: true,
          packages: {
            '': { name: 'bench', workspaces: ['graph'] },
            graph: { version: '1.0.0' },
            'node_modules/graph': { resolved: 'graph', link: true },
          },
        },
        'graph/package.json': { name: 'graph', version: '1.0.0', scripts: record(stages, commandOf) },
        'turbo.json': {
          tasks: {
            ...record(stages, ({ name, previous }) => ({
              dependsOn: previous === undefined ? [] : [previous],
              inputs: [codeFile],
              outputs: [outputOf(name)],
            })),
            all: { dependsOn: lastOf(stages) },
          },
        },
      });
    },
    command: (dir) => ({
      argv: [binary('turbo'), 'run', 'all', '--output-logs=errors-only'],
      cwd: dir,
      env: { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
    }),
  };

  const wireit: Tool = {
    name: 'wireit',
    note: '`npm run all`, quiet logger',
    version: () => packaged('wireit'),
    write(dir, shape) {
      const stages = listStages(shape);
      writeProject(dir, '.', {
        'package.json': {
          name: 'bench',
          private: true,
          scripts: { ...record(stages, () => 'wireit'), all: 'wireit' },
          wireit: {
            ...record(stages, (stage) => ({
              command: commandOf(stage),
              files: [codeFile],
              output: [outputOf(stage.name)],
              dependencies: stage.previous === undefined ? [] : [stage.previous],
            })),
            all: { dependencies: lastOf(stages) },
          },
        },
      });
    },
    command: (dir) => ({
      argv: ['npm', 'run', '--silent', 'all'],
      cwd: dir,
      env: { WIREIT_LOGGER: 'quiet' },
    }),
  };

  const nx: Tool = {
    name: 'nx',
    note: 'one project with a target a stage, outputs of the stage before as inputs; `nx run graph:all`; no daemon, plugins in its own process, which is quicker here',
    version: () => packaged('nx'),
    write(dir, shape) {
      const stages = listStages(shape);
      writeProject(dir, 'graph', {
        'package.json': { name: 'bench', private: true },
        'nx.json': { neverConnectToCloud: true, analytics: false },
        'graph/project.json': {
          name: 'graph',
          targets: {
            ...record(stages, (stage) => ({
              executor: 'nx:run-commands',
              options: { command: commandOf(stage), cwd: 'graph' },
              cache: true,
              inputs: [`{projectRoot}/${codeFile}`, { dependentTasksOutputFiles: '**/*.txt' }],
              outputs: [`{projectRoot}/${outputOf(stage.name)}`],
              dependsOn: stage.previous === undefined ? [] : [stage.previous],
            })),
            all: { executor: 'nx:noop', dependsOn: lastOf(stages) },
          },
        },
      });
    },
    command: (dir) => ({
      argv: [binary('nx'), 'run', 'graph:all', '--outputStyle=static'],
      cwd: dir,
      env: {
        NX_DAEMON: 'false',
        NX_ISOLATE_PLUGINS: 'false',
        NX_TUI: 'false',
        NX_NO_CLOUD: 'true',
        NX_CACHE_DIRECTORY: path.join(dir, '.nx/cache'),
        NX_WORKSPACE_DATA_DIRECTORY: path.join(dir, '.nx/workspace-data'),
        NX_SKIP_NX_CACHE: 'false',
      },
    }),
  };

  const moon: Tool = {
    name: 'moon',
    note: 'one project with a task a stage; `moon run graph:all`',
    version: () => packaged('@moonrepo/cli'),
    write(dir, shape) {
      const stages = listStages(shape);
      writeProject(dir, 'graph', {
        'package.json': { name: 'bench', private: true },
        '.moon/workspace.yml': { projects: { graph: 'graph' }, telemetry: false },
        'graph/moon.yml': {
          tasks: {
            ...record(stages, (stage) => ({
              script: commandOf(stage),
              inputs: [codeFile],
              outputs: [outputOf(stage.name)],
              deps: stage.previous === undefined ? [] : [`~:${stage.previous}`],
            })),
            all: { command: 'noop', deps: lastOf(stages).map((name) => `~:${name}`) },
          },
        },
      });
    },
    command: (dir) => ({
      argv: [binary('moon'), 'run', 'graph:all', '--quiet'],
      cwd: dir,
      env: { MOON_TOOLCHAIN_FORCE_GLOBALS: 'true', MOON_SKIP_SETUP_TOOLCHAIN: 'true' },
    }),
  };

  return [turbo, wireit, nx, moon];
}

function record<T>(stages: readonly Stage[], describe: (stage: Stage) => T): { readonly [name: string]: T } {
  return Object.fromEntries(stages.map((stage) => [stage.name, describe(stage)]));
}

function lastOf(stages: readonly Stage[]): string[] {
  return stages.filter(({ isLast }) => isLast).map(({ name }) => name);
}
