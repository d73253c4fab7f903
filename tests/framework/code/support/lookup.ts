import fs from 'node:fs';
import type { ExecutionContext } from 'ava';
import type { Plugin } from 'esbuild';
import * as esbuild from 'esbuild';
import fc from 'fast-check';
import { bundleOptions } from '../../../../framework/code/bundle.ts';
import { describeResolution, isResolvedTheSame } from '../../../../framework/code/resolution.ts';
import { openFileDigests } from '../../../../framework/files/digests.ts';
import { createProject, type Project } from '../../../support/project.ts';

// What an import leads to is asked of esbuild, before and after random edits around it. Where the answer changes, what
// was noted at first must have changed as well.

const code = 'export const v = 1;\n';
const endings = ['.ts', '.tsx', '.js', '.jsx', '.mjs', '.mts', '.json', '.js.ts', ''];
const scripts = (base: string) => endings.map((ending) => base + ending);
const modules = [
  ...['src/a', 'src/a/index', 'src/a/m', 'src/a/m/index', 'src/b'].flatMap(scripts),
  ...['one/n', 'two/n', 'one/n/index'].flatMap(scripts),
  ...['node_modules/p', 'node_modules/p/index', 'node_modules/p/s', 'node_modules/p/lib/index'].flatMap(
    scripts,
  ),
  ...['src/node_modules/p', 'src/node_modules/p/index', 'src/node_modules/p/s'].flatMap(scripts),
];
const settings: { readonly [file: string]: readonly object[] } = {
  'src/a/package.json': [{}, { main: './m' }, { main: 'gone' }, { main: '../b' }, { main: './m.js' }],
  'node_modules/p/package.json': [
    { name: 'p', version: '1.0.0' },
    { name: 'p', version: '1.0.0', main: 'lib' },
    { name: 'p', version: '1.0.0', exports: { '.': './index.js', './s': './s.js' } },
    { name: 'p', main: './s' },
  ],
  'src/node_modules/p/package.json': [
    { name: 'p', version: '2.0.0' },
    { name: 'p', version: '2.0.0', main: 's' },
  ],
  'package.json': [
    { name: 'fixture', type: 'module' },
    { name: 'fixture', imports: { '#n': './one/n.js' } },
    { name: 'fixture', imports: { '#n': ['./two/n.ts', './one/n.js'] } },
  ],
  'tsconfig.json': [
    {},
    { compilerOptions: { paths: { '@/*': ['./one/*', './two/*'], p: ['./src/b'] } } },
    { compilerOptions: { baseUrl: './src', paths: { '@/n': ['../two/n'] } } },
    { compilerOptions: { baseUrl: '.' } },
    { extends: './base.json' },
  ],
  'base.json': [
    { compilerOptions: { paths: { '@/*': ['./two/*'] } } },
    { compilerOptions: { baseUrl: './one' } },
  ],
};
const specifiers = [
  './a',
  './a.js',
  './a.jsx',
  './a/',
  './a/index',
  './a/index.js',
  './a/m',
  '.',
  'p',
  'p/s',
  'p/s.js',
  '@/n',
  '@/n.js',
  '#n',
  'n',
  'a/m',
];

interface Edit {
  readonly file: string;
  readonly text: string | null;
}

const moduleEdit: fc.Arbitrary<Edit> = fc.record({
  file: fc.constantFrom(...modules),
  text: fc.oneof({ weight: 4, arbitrary: fc.constant(code) }, { weight: 1, arbitrary: fc.constant(null) }),
});
const settingsEdit: fc.Arbitrary<Edit> = fc.constantFrom(...Object.keys(settings)).chain((file) =>
  fc.record({
    file: fc.constant(file),
    text: fc.option(fc.constantFrom(...settings[file]!.map((value) => JSON.stringify(value)))),
  }),
);
const edit = fc.oneof({ weight: 3, arbitrary: moduleEdit }, { weight: 1, arbitrary: settingsEdit });

/** So that every kind of import leads somewhere at first. */
const start: readonly Edit[] = [
  ...Object.entries(settings).map(([file, values]) => ({
    file,
    text: JSON.stringify(values[1] ?? values[0]),
  })),
  ...['two/n.ts', 'one/n.ts', 'one/n.jsx', 'src/a/m.ts', 'node_modules/p/lib/index.js'].map((file) => ({
    file,
    text: code,
  })),
];

/** Does nothing where a file is in the way of a folder, or the other way round. */
function apply(project: Project, { file, text }: Edit): void {
  try {
    if (text === null) fs.rmSync(project.file(file));
    else project.write({ [file]: /\.json$/.test(file) && text === code ? '{ "v": 1 }' : text });
  } catch {
    // as if it had not been tried
  }
}

/** Where each of them leads from a file in `src`; undefined: nowhere. */
async function resolveAll(project: Project): Promise<ReadonlyMap<string, string | undefined>> {
  const answers = new Map<string, string | undefined>();
  const ask: Plugin = {
    name: 'ask',
    setup(build) {
      build.onResolve({ filter: /^all$/ }, async ({ pluginData: _none }) => {
        const options = {
          kind: 'import-statement',
          importer: project.file('src/entry.ts'),
          resolveDir: project.file('src'),
        } as const;
        for (const specifier of specifiers) {
          const { errors, path: file } = await build.resolve(specifier, options);
          answers.set(specifier, errors.length > 0 ? undefined : file);
        }
        return { path: 'all', external: true };
      });
    },
  };
  await esbuild.build({
    ...bundleOptions,
    stdin: { contents: "import 'all';", resolveDir: project.dir },
    absWorkingDir: project.dir,
    outdir: project.file('out'),
    plugins: [ask],
  });
  return answers;
}

/**
 * Edits that many projects by chance, and throws where an import that leads elsewhere isn't noticed by what was noted.
 *
 * @returns how many imports led elsewhere
 */
export async function proveLookups(t: ExecutionContext, projects: number): Promise<number> {
  let elsewhere = 0;
  const importer = 'src/entry.ts';
  await fc.assert(
    fc.asyncProperty(
      fc.array(edit, { minLength: 0, maxLength: 20 }),
      fc.array(edit, { minLength: 2, maxLength: 8 }),
      async (before, after) => {
        const project = createProject(t, { [importer]: code });
        for (const one of [...start, ...before]) apply(project, one);
        const first = await resolveAll(project);
        const noted = [...first].flatMap(([specifier, file]) => {
          if (file === undefined) return [];
          const entry = project.file(importer);
          const imports = [{ importer: entry, specifier, file }];
          return [{ specifier, file, resolution: describeResolution(entry, [entry, file], imports, []) }];
        });
        const seen = openFileDigests(project.file('digests.json'));
        for (const { specifier, resolution } of noted)
          if (!(await isResolvedTheSame(resolution, seen, new Set())))
            throw new Error(`${specifier}: at once`);
        for (const one of after) apply(project, one);
        const second = await resolveAll(project);
        for (const { specifier, file, resolution } of noted) {
          const isNoticed = !fs.existsSync(file) || !(await isResolvedTheSame(resolution, seen, new Set()));
          const now = second.get(specifier);
          if (now === file) continue;
          elsewhere++;
          if (!isNoticed) throw new Error(`${specifier}: ${file}, then ${now}`);
        }
        fs.rmSync(project.dir, { recursive: true });
      },
    ),
    {
      includeErrorInReport: true,
      numRuns: projects,
      seed: 8,
    },
  );
  return elsewhere;
}
