/** For scripts that are plain JavaScript: TypeScript of the package, bundled into its cache. */
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** A source of the package as a module. */
export async function importSource(source) {
  const { build } = await import('esbuild');
  const module = path.join(root, 'node_modules/.cache/peco-exp', `${source.replaceAll('/', '-')}.mjs`);
  await build({
    entryPoints: [path.join(root, source)],
    outfile: module,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
  });
  return import(pathToFileURL(module).href);
}
