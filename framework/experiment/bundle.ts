import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuildFailure, Metafile, OnResolveArgs, Plugin, PluginBuild } from 'esbuild';
import { PecoError } from '../stage/errors.ts';
import { describeResolution, type Resolution } from './resolution.ts';

const ownName = 'peco-exp';
const bundlesFolder = '.bundles';
const resolvedMark = Symbol('resolved by this plugin');

/** An import that package.json, tsconfig.json or a link in node_modules leads to a project file. */
export interface Alias {
  /** Absolute, as `file`. */
  readonly importer: string;
  /** As it is written. */
  readonly specifier: string;
  readonly file: string;
}

/** A bundled module. */
export interface Bundle {
  readonly text: string;
  /** Source map (version 3) as JSON text; its sources are absolute, so that it may lie anywhere. */
  readonly map: string;
  /** Project files of the closure, absolute, sorted -> sha256 of the bytes that were bundled. Types alone don't count. */
  readonly sources: { readonly [file: string]: string };
  readonly resolution: Resolution;
  /** Imports by another name than a path, such as `#loss`, and the project files that they lead to. */
  readonly aliases: readonly Alias[];
  /** Third-party packages that the closure imports -> folder of the package. */
  readonly packages: { readonly [name: string]: string };
  /** Node's own modules that the closure imports, without `node:`, sorted; not those that `framework/` may use. */
  readonly builtins: readonly string[];
}

/**
 * Bundles modules, each by itself. Project files and peco-exp's own sources are in the bundle; packages stay outside,
 * imported by absolute URL, so that a bundle may lie anywhere. `import.meta.url` is that of the source file.
 *
 * @throws PecoError `syntax-error` or `missing-module`, every one of them, with its place; `unknown-import` where only
 *   the run decides which files are imported
 */
export async function bundleModules(entries: readonly string[], cwd: string): Promise<Map<string, Bundle>> {
  const esbuild = await import('esbuild');
  const seen: Seen = { packages: new Map(), digests: new Map(), imports: new Map() };
  // esbuild names files by their real paths, whatever they were asked for by.
  const real = entries.map((entry) => fs.realpathSync(entry));
  try {
    const result = await esbuild.build({
      entryPoints: real.map((entry, index) => ({ in: entry, out: String(index) })),
      absWorkingDir: cwd,
      outdir: path.join(cwd, bundlesFolder), // never written: only names in the metafile
      outExtension: { '.js': '.mjs' },
      bundle: true,
      write: false,
      metafile: true,
      sourcemap: 'external',
      sourcesContent: false,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      // Given explicitly, so that the condition "module" is absent: packages must be what Node itself would load.
      conditions: ['peco-source'],
      mainFields: ['main'],
      define: {
        'import.meta.url': '__pecoUrl',
        'import.meta.filename': '__pecoFilename',
        'import.meta.dirname': '__pecoDirname',
      },
      legalComments: 'none',
      logLevel: 'silent',
      plugins: [projectModules(seen)],
    });
    return splitResult(entries, real, cwd, result, seen);
  } catch (error) {
    if (isBuildFailure(error)) throw explainFailure(error);
    throw error;
  }
}

/** One PecoError for all that esbuild found wrong. */
export function explainFailure(failure: BuildFailure): PecoError {
  const problems = failure.errors.map(({ text, location, notes }) => {
    const missing = text.startsWith('Could not resolve');
    const hint = missing ? 'check the path, or install the package' : notes[0]?.text;
    return new PecoError(text, {
      code: missing ? 'missing-module' : 'syntax-error',
      ...(hint ? { hint } : {}),
      ...(location
        ? { location: { file: location.file, line: location.line, column: location.column + 1 } }
        : {}),
    });
  });
  if (problems.length === 1) return problems[0]!;
  return new PecoError(`${problems.length} problems in the code`, { code: problems[0]!.code, problems });
}

export function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as { readonly errors?: unknown }).errors);
}

/** The nearest folder at or above a path that holds a package.json with a name, and that name. */
export function packageOf(file: string): { readonly name: string; readonly dir: string } | undefined {
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    try {
      const { name } = JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')) as {
        readonly name?: string;
      };
      // Packages mark folders as ESM or CommonJS by nameless package.json files.
      if (name !== undefined) return { name, dir };
    } catch {
      // none here
    }
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** What the plugin saw while bundling. */
interface Seen {
  /** Resolved file of a package -> folder of the package. */
  readonly packages: Map<string, string>;
  /** Project file -> sha256 of its bytes. */
  readonly digests: Map<string, string>;
  /** Project file -> what it imports, as it is written. */
  readonly imports: Map<string, Set<string>>;
}

function projectModules({ packages, digests, imports }: Seen): Plugin {
  return {
    name: 'project-modules',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ importer, path: specifier, pluginData }) => {
        if (importer === '' || pluginData === resolvedMark) return undefined;
        const known = imports.get(importer) ?? new Set();
        imports.set(importer, known.add(specifier));
        return undefined;
      });
      build.onResolve({ filter: /^[^./]/ }, (args) => resolveBare(build, args, packages));
      build.onLoad({ filter: /.*/, namespace: 'file' }, async ({ path: file }) => {
        // Hashed here, so that the digest is that of the text that is bundled, whoever edits the file meanwhile.
        const bytes = await fs.promises.readFile(file);
        digests.set(file, createHash('sha256').update(bytes).digest('hex'));
        if (!/\.[cm]?[jt]sx?$/.test(file)) return { contents: bytes, loader: 'default' };
        const text = bytes.toString('utf8');
        return {
          contents: text.includes('import.meta') ? withOwnPlace(text, file) : text,
          loader: loaderOf(file),
        };
      });
    },
  };
}

async function resolveBare(build: PluginBuild, args: OnResolveArgs, packages: Map<string, string>) {
  const isOurs = args.pluginData === resolvedMark || args.kind === 'entry-point';
  if (isOurs || path.isAbsolute(args.path)) return undefined;
  const { isBuiltin } = await import('node:module');
  if (isBuiltin(args.path)) return { path: args.path, external: true };
  const { kind, importer, resolveDir } = args;
  const resolve = (from: string) =>
    build.resolve(args.path, { kind, importer, resolveDir: from, pluginData: resolvedMark });
  let found = await resolve(resolveDir);
  if (found.errors.length > 0 && isOwn(args.path)) {
    // An experiment outside any project, run by a peco-exp that is installed elsewhere.
    const own = packageOf(fileURLToPath(import.meta.url));
    if (own) found = await resolve(own.dir);
  }
  if (found.errors.length > 0) return { errors: found.errors };
  if (isOwn(args.path) || !found.path.split(path.sep).includes('node_modules')) return { path: found.path };
  const owner = packageOf(found.path);
  if (owner) packages.set(found.path, owner.dir);
  return { path: pathToFileURL(found.path).href, external: true };
}

function isOwn(specifier: string): boolean {
  return specifier === ownName || specifier.startsWith(`${ownName}/`);
}

/** Says to the module where it is: esbuild's `define` puts these names where `import.meta.url` and the like stood. */
function withOwnPlace(text: string, file: string): string {
  const url = JSON.stringify(pathToFileURL(file).href);
  const place = `const __pecoUrl = ${url}, __pecoFilename = ${JSON.stringify(file)}, __pecoDirname = ${JSON.stringify(path.dirname(file))};`;
  // On the first line, so that line numbers stay.
  return text.startsWith('#!') ? text.replace(/^#!.*/, place) : `${place}${text}`;
}

function loaderOf(file: string): 'ts' | 'tsx' | 'js' | 'jsx' {
  if (/\.[cm]?ts$/.test(file)) return 'ts';
  if (file.endsWith('.tsx')) return 'tsx';
  return file.endsWith('.jsx') ? 'jsx' : 'js';
}

interface BuildOutput {
  readonly metafile: Metafile;
  readonly outputFiles: readonly { readonly path: string; readonly text: string }[];
}

function splitResult(
  entries: readonly string[],
  real: readonly string[],
  cwd: string,
  result: BuildOutput,
  { packages, digests, imports }: Seen,
): Map<string, Bundle> {
  const texts = new Map(result.outputFiles.map((file) => [path.basename(file.path), file.text]));
  return new Map(
    entries.map((entry, index) => {
      const name = path.relative(fs.realpathSync(cwd), real[index]!).split(path.sep).join('/');
      const closure = closureOf(name, result.metafile);
      const absolute = (file: string) => path.resolve(fs.realpathSync(cwd), file);
      refuseGlobs(closure.globs, absolute, cwd);
      const sources = [...closure.files].map(absolute).sort();
      const used = [...closure.external].flatMap((url) => {
        const dir = url.startsWith('file:') ? packages.get(fileURLToPath(url)) : undefined;
        return dir === undefined ? [] : [[packageOf(path.join(dir, 'package.json'))!.name, dir] as const];
      });
      const bundle = {
        text: texts.get(`${index}.mjs`)!,
        map: withAbsoluteSources(
          texts.get(`${index}.mjs.map`)!,
          path.join(fs.realpathSync(cwd), bundlesFolder),
        ),
        sources: Object.fromEntries(sources.map((file) => [file, digests.get(file)!])),
        resolution: describeResolution(
          entry,
          sources,
          sources.flatMap((importer) =>
            [...(imports.get(importer) ?? [])].map((specifier) => ({ importer, specifier })),
          ),
          used.map(([, dir]) => dir),
        ),
        aliases: closure.aliases
          .map(({ importer, specifier, file }) => ({
            importer: absolute(importer),
            specifier,
            file: absolute(file),
          }))
          .sort((a, b) => (`${a.importer} ${a.specifier}` < `${b.importer} ${b.specifier}` ? -1 : 1)),
        builtins: builtinsOf([...closure.files], cwd, result.metafile),
        packages: Object.fromEntries(used.sort(([a], [b]) => (a < b ? -1 : 1))),
      };
      return [entry, bundle];
    }),
  );
}

function withAbsoluteSources(map: string, from: string): string {
  const parsed = JSON.parse(map) as { readonly sources: readonly string[] };
  return JSON.stringify({ ...parsed, sources: parsed.sources.map((source) => path.resolve(from, source)) });
}

function builtinsOf(files: readonly string[], cwd: string, metafile: Metafile): string[] {
  const found = new Set<string>();
  for (const file of files) {
    const trusted = trustedBuiltins(path.resolve(cwd, file));
    for (const { external, path: specifier } of metafile.inputs[file]?.imports ?? []) {
      const name = specifier.replace(/^node:/, '');
      if (external && !name.startsWith('file:') && !trusted.includes(name)) found.add(name);
    }
  }
  return [...found].sort();
}

/** What sources of peco-exp itself import of Node and use as we know it; its components count like anybody's. */
function trustedBuiltins(file: string): readonly string[] {
  const owner = packageOf(file);
  if (owner?.name !== ownName) return [];
  const relative = path.relative(owner.dir, file).split(path.sep).join('/');
  if (relative === 'framework/stage/disk.ts') return ['fs']; // it lists what it looks at
  return relative.startsWith('framework/') ? ['crypto'] : []; // digests
}

interface Closure {
  readonly files: Set<string>;
  readonly external: Set<string>;
  readonly aliases: Alias[];
  /** Imports of whatever matches a pattern, by the file that has them. */
  readonly globs: Map<string, string>;
}

/**
 * A name that is put together when the code runs stands for every file that it may become: which of them a stage used,
 * and whether one was added, nobody could tell.
 */
function refuseGlobs(
  globs: ReadonlyMap<string, string>,
  absolute: (file: string) => string,
  cwd: string,
): void {
  for (const [importer, pattern] of globs) {
    const file = absolute(importer);
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

/** @throws if the entry isn't there: then nothing would be known of what it imports */
function closureOf(entry: string, metafile: Metafile): Closure {
  if (!(entry in metafile.inputs)) throw new Error(`esbuild bundled ${entry} under another name`);
  const files = new Set<string>();
  const external = new Set<string>();
  const aliases: Alias[] = [];
  const globs = new Map<string, string>();
  const todo = [entry];
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const imported of metafile.inputs[file]?.imports ?? []) {
      const { original: specifier } = imported;
      if (imported.external && imported.path.includes('*')) globs.set(file, imported.path);
      else if (imported.external) external.add(imported.path);
      else {
        todo.push(imported.path);
        if (specifier !== undefined && /^[^./]/.test(specifier) && !isOwn(specifier))
          aliases.push({ importer: file, specifier, file: imported.path });
      }
    }
  }
  return { files, external, aliases, globs };
}
