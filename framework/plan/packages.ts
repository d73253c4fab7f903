import fs from 'node:fs';
import path from 'node:path';

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly dependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
  readonly peerDependencies?: { readonly [name: string]: string };
}

/**
 * Packages in these folders and all that they depend on, as far as it is installed -> version. Where there are several
 * versions of one package, all of them.
 */
export function packageVersions(folders: readonly string[]): { readonly [name: string]: string } {
  const versions = new Map<string, Set<string>>();
  for (const manifest of packageTree(folders).values()) {
    const { name = 'unnamed', version = 'unknown' } = manifest;
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
  }
  const entries = [...versions].map(([name, all]) => [name, [...all].sort().join(', ')] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same by folder (real paths). `onLook` gets every file that was looked at, also where there is none. */
export function packageTree(
  folders: readonly string[],
  onLook: (file: string) => void = () => {},
): ReadonlyMap<string, Manifest> {
  const found = new Map<string, Manifest>();
  const todo = [...folders];
  for (let dir = todo.pop(); dir !== undefined; dir = todo.pop()) {
    if (found.has(dir)) continue;
    onLook(path.join(dir, 'package.json'));
    const manifest = readManifest(dir);
    found.set(dir, manifest);
    const { dependencies, optionalDependencies, peerDependencies } = manifest;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const installed = findPackage(dir, name, onLook);
      if (installed !== undefined) todo.push(installed);
    }
  }
  return found;
}

/** As Node looks for it: in node_modules of the folder and of those above it. */
function findPackage(from: string, name: string, onLook: (file: string) => void): string | undefined {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const place = path.join(dir, 'node_modules', name);
    onLook(path.join(place, 'package.json'));
    if (fs.existsSync(path.join(place, 'package.json'))) return fs.realpathSync(place);
    if (path.dirname(dir) === dir) return undefined;
  }
}

function readManifest(dir: string): Manifest {
  try {
    return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')) as Manifest;
  } catch {
    return { name: path.basename(dir) };
  }
}
