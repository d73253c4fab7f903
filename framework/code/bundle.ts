import fs from 'node:fs';
import path from 'node:path';
import type { BuildOptions, Message, Metafile } from 'esbuild';
import { PecoError } from '../stage/errors.ts';
import { projectModules, type Seen } from './bundle-plugin.ts';
import { type Alias, type Closure, closureOf, type PackageImport } from './closure.ts';
import { explainFailure, isBuildFailure } from './failure.ts';
import { packageOf } from './package-root.ts';
import { describeResolution, type Resolution } from './resolution.ts';
import { ownName } from './script.ts';

const bundlesFolder = '.bundles';

/** A bundled module. All paths are absolute real paths. */
export interface Bundle {
  readonly text: string;
  /** Source map (version 3) as JSON text; its sources are absolute, so that it may lie anywhere. */
  readonly map: string;
  /**
   * Project files of the closure -> sha256 of the bytes that were bundled; types alone don't count. The module itself
   * is the first, then what it imports, level by level.
   */
  readonly sources: { readonly [file: string]: string };
  readonly resolution: Resolution;
  /** Imports whose text alone doesn't say which file they lead to, such as `#loss` or `./parts`. */
  readonly aliases: readonly Alias[];
  /** Those of them that lead to installed packages. */
  readonly packages: readonly PackageImport[];
  /** Node's own modules that the closure imports, without `node:`, sorted; not those that `framework/` may use. */
  readonly builtins: readonly string[];
}

/** How code is bundled, whichever it is. */
export const bundleOptions = {
  outExtension: { '.js': '.mjs' },
  bundle: true as const,
  write: false as const,
  metafile: true as const,
  sourcemap: 'external' as const,
  sourcesContent: false,
  platform: 'node' as const,
  format: 'esm' as const,
  target: 'node20',
  // Given explicitly, so that the condition "module" is absent: packages must be what Node itself would load.
  conditions: ['peco-source'],
  mainFields: ['main'],
  define: {
    'import.meta': '__pecoMeta',
    'import.meta.url': '__pecoUrl',
    'import.meta.filename': '__pecoFilename',
    'import.meta.dirname': '__pecoDirname',
    __filename: '__pecoFilename',
    __dirname: '__pecoDirname',
  },
  legalComments: 'none' as const,
  logLevel: 'silent' as const,
} satisfies BuildOptions;

/**
 * Bundles modules, each by itself. Project files, linked packages and peco-exp's own sources are in the bundle;
 * installed packages stay outside, imported by absolute URL, so that a bundle may lie anywhere. `import.meta.url` is
 * that of the source file.
 *
 * @throws PecoError `syntax-error` or `missing-module`, every one of them, with its place; `unknown-import` where only
 *   the run decides which files are imported
 */
export async function bundleModules(entries: readonly string[], cwd: string): Promise<Map<string, Bundle>> {
  const esbuild = await import('esbuild');
  const seen: Seen = { digests: new Map(), imports: new Map(), packages: new Map(), own: new Map() };
  // esbuild names files by their real paths, whatever they were asked for by.
  const real = entries.map((entry) => fs.realpathSync(entry));
  real.forEach(refusePath);
  try {
    const result = await esbuild.build({
      ...bundleOptions,
      entryPoints: real.map((entry, index) => ({ in: entry, out: String(index) })),
      absWorkingDir: cwd,
      outdir: path.join(cwd, bundlesFolder), // never written: only names in the metafile
      plugins: [projectModules(seen, cwd)],
    });
    refuseLostNames(result.warnings);
    return splitResult(entries, real, cwd, result, seen);
  } catch (error) {
    if (isBuildFailure(error)) throw explainFailure(error);
    throw error;
  }
}

/** esbuild takes a star in the name of an entry for a pattern, and Node imports nothing from a path with a backslash. */
function refusePath(file: string): void {
  const found = /[*\\]/.exec(file.replaceAll(path.sep, '/'))?.[0];
  if (found === undefined) return;
  throw new PecoError(`code can't be loaded from a path with ${found}: ${JSON.stringify(file)}`, {
    code: 'missing-module',
    hint: 'rename that file or folder',
  });
}

/** A second field of a name silently replaces the first: a tokenizer, for example. */
function refuseLostNames(warnings: readonly Message[]): void {
  const errors = warnings.filter(
    ({ id, location }) => id === 'duplicate-object-key' && !location?.file.includes('node_modules/'),
  );
  if (errors.length > 0) throw explainFailure({ errors });
}

interface BuildOutput {
  readonly metafile: Metafile;
  readonly outputFiles: readonly { readonly path: string; readonly text: string }[];
}

function splitResult(
  entries: readonly string[],
  real: readonly string[],
  cwd: string,
  { metafile, outputFiles }: BuildOutput,
  seen: Seen,
): Map<string, Bundle> {
  const texts = new Map(outputFiles.map((file) => [path.basename(file.path), file.text]));
  const root = fs.realpathSync(cwd);
  return new Map(
    entries.map((entry, index) => {
      const name = path.relative(root, real[index]!).split(path.sep).join('/');
      const closure = closureOf(name, root, metafile, seen);
      refuseGlobs(closure.globs, cwd);
      const { files, own, imports, aliases, packages } = closure;
      const bundle = {
        text: withRequire(texts.get(`${index}.mjs`)!),
        map: withAbsoluteSources(texts.get(`${index}.mjs.map`)!, path.join(root, bundlesFolder)),
        sources: Object.fromEntries(files.map((file) => [file, digestOf(file, seen)])),
        resolution: describeResolution(
          entry,
          files,
          imports,
          packages.map(({ dir }) => dir),
          own,
        ),
        aliases,
        packages,
        builtins: builtinsOf(closure),
      };
      return [entry, bundle];
    }),
  );
}

function digestOf(file: string, { digests }: Seen): string {
  const digest = digests.get(file);
  if (digest === undefined) throw new Error(`esbuild bundled ${file} without asking for it`);
  return digest;
}

/** CommonJS in a bundle asks for Node's modules and for packages by `require`, which a module has to make itself. */
function withRequire(text: string): string {
  if (!text.includes('__require')) return text;
  // On the first line, so that line numbers stay.
  return `import { createRequire as __pecoRequire } from 'node:module'; const require = __pecoRequire(import.meta.url); ${text}`;
}

function withAbsoluteSources(map: string, from: string): string {
  const parsed = JSON.parse(map) as { readonly sources: readonly string[] };
  return JSON.stringify({ ...parsed, sources: parsed.sources.map((source) => path.resolve(from, source)) });
}

function builtinsOf({ others }: Closure): string[] {
  const names = others.flatMap(({ importer, name }) => {
    const plain = name.replace(/^node:/, '');
    return trustedBuiltins(importer).includes(plain) ? [] : [plain];
  });
  return [...new Set(names)].sort();
}

/** What sources of peco-exp itself import of Node and use as we know it; its components count like anybody's. */
function trustedBuiltins(file: string): readonly string[] {
  const owner = packageOf(file);
  if (owner?.name !== ownName) return [];
  const relative = path.relative(owner.dir, file).split(path.sep).join('/');
  // The one lists what it looks at, the other looks for it.
  if (['framework/stage/disk.ts', 'framework/stage/skew.ts', 'framework/stage/stat.ts'].includes(relative))
    return ['fs'];
  // Keeps what was made of files that `disk` has listed.
  if (relative === 'framework/stage/made.ts') return ['crypto', 'fs'];
  return relative.startsWith('framework/') ? ['crypto'] : []; // digests
}

/**
 * A name that is put together when the code runs stands for every file that it may become. Which of them a stage used,
 * and whether one was added, can't be known from the code.
 */
function refuseGlobs(globs: ReadonlyMap<string, string>, cwd: string): void {
  for (const [file, pattern] of globs) {
    const line = fs
      .readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((text) => /\b(import|require)\s*\(/.test(text) && /\$\{|\+/.test(text));
    throw new PecoError(`this import may be of any file that matches ${pattern}: only the run decides`, {
      code: 'unknown-import',
      hint: 'import each module by its own name, and choose among what they export',
      location: { file: path.relative(cwd, file), line: line + 1, column: 1 },
    });
  }
}
