import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { withoutMark } from '../files/json-file.ts';

/** Those of TypeScript's options that change what code does when it is bundled. */
const meaningful = [
  'experimentalDecorators',
  'importsNotUsedAsValues',
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'jsxImportSource',
  'preserveValueImports',
  'target',
  'useDefineForClassFields',
  'verbatimModuleSyntax',
] as const;

export interface Tsconfig {
  /** Of `meaningful`, those that are set; the nearest wins. */
  readonly options: { readonly [option: string]: unknown };
  /** The file and all that it extends, absolute; also what isn't there, since it may come. */
  readonly files: readonly string[];
  /** Names that stand for files, and the folder that these are relative to. */
  readonly paths?: {
    readonly dir: string;
    readonly patterns: { readonly [name: string]: readonly string[] };
  };
  /** Folder that is looked in for names before packages are; absolute. */
  readonly baseUrl?: string;
}

/** The tsconfig.json that holds for a source file: the nearest above it. Undefined if there is none. */
export function tsconfigOf(source: string): string | undefined {
  for (let dir = path.dirname(source); ; dir = path.dirname(dir)) {
    const file = path.join(dir, 'tsconfig.json');
    if (fs.existsSync(file)) return file;
    if (path.dirname(dir) === dir) return undefined;
  }
}

/** What a tsconfig.json says, with what it extends. One that is broken says nothing: esbuild reports it. */
export function readTsconfig(file: string, open: readonly string[] = []): Tsconfig {
  const parsed = open.includes(file) ? undefined : parse(file);
  if (parsed === undefined) return { options: {}, files: [file] };
  const bases = [parsed.extends ?? []]
    .flat()
    .map((name) => findBase(String(name), file))
    .map((base) => readTsconfig(base, [...open, file]));
  const own = Object.entries(parsed.compilerOptions ?? {}).filter(([name]) =>
    (meaningful as readonly string[]).includes(name),
  );
  const inherited: Omit<Tsconfig, 'files' | 'options'> = Object.assign(
    {},
    ...bases.map(({ files, options, ...rest }) => rest),
  );
  return {
    ...inherited,
    ...placesIn(parsed.compilerOptions ?? {}, path.dirname(file), path.dirname(open[0] ?? file)),
    options: Object.assign({}, ...bases.map(({ options }) => options), Object.fromEntries(own)),
    files: [file, ...bases.flatMap(({ files }) => files)],
  };
}

/** @param root folder of the tsconfig.json that extends the others */
function placesIn(
  { paths, baseUrl }: { readonly [option: string]: unknown },
  dir: string,
  root: string,
): Pick<Tsconfig, 'paths' | 'baseUrl'> {
  const inConfigDir = (place: string) => place.replace(/^\$\{configDir\}/, () => root);
  const at = (place: string) => path.resolve(dir, inConfigDir(place));
  const patterns =
    typeof paths === 'object' && paths !== null
      ? Object.entries(paths).map(([name, targets]) => [
          name,
          [targets].flat().map((target) => inConfigDir(String(target))),
        ])
      : undefined;
  return {
    ...(patterns ? { paths: { dir, patterns: Object.fromEntries(patterns) } } : {}),
    ...(typeof baseUrl === 'string' ? { baseUrl: at(baseUrl) } : {}),
  };
}

interface Parsed {
  readonly extends?: string | readonly string[];
  readonly compilerOptions?: { readonly [option: string]: unknown };
}

function parse(file: string): Parsed | undefined {
  try {
    const value: unknown = JSON.parse(withoutComments(withoutMark(fs.readFileSync(file, 'utf8'))));
    return typeof value === 'object' && value !== null ? (value as Parsed) : undefined;
  } catch {
    return undefined;
  }
}

/** JSON as TypeScript allows it -> JSON: comments and commas before closing brackets go, strings stay. */
function withoutComments(text: string): string {
  const tokens = /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  const commas = /("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])/g;
  const keepStrings = (_match: string, string?: string) => string ?? '';
  return text.replace(tokens, keepStrings).replace(commas, keepStrings);
}

/** A base that can't be found is named nevertheless: it may come. */
function findBase(name: string, from: string): string {
  const dir = path.dirname(from);
  if (name.startsWith('.') || path.isAbsolute(name)) {
    const place = path.resolve(dir, name);
    return place.endsWith('.json') ? place : `${place}.json`;
  }
  const require = createRequire(from);
  for (const candidate of [name, `${name}.json`, `${name}/tsconfig.json`]) {
    try {
      return require.resolve(candidate);
    } catch {
      // the next one
    }
  }
  return path.join(dir, 'node_modules', name);
}
