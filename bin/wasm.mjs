/**
 * Compiles the AssemblyScript of components/data/views/simd/assembly to compiled.ts beside it, which is committed: users
 * need no compiler, and it is in the keys as all code is. A test does the same and compares.
 *
 *     node bin/wasm.mjs [FILE]
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const simd = fileURLToPath(new URL('../components/data/views/simd', import.meta.url));

async function compileKernels() {
  const { default: asc } = await import('assemblyscript/asc');
  const options = ['-O3', '--runtime', 'stub', '--enable', 'simd', '--noAssert', '--outFile', 'any.wasm'];
  let compiled;
  const { error, stderr } = await asc.main(['blend.ts', 'distort.ts', 'resample.ts', ...options], {
    readFile: (name, base) => readOrNull(path.join(simd, 'assembly', base, name)),
    writeFile: (_, contents) => {
      compiled = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr}`, { cause: error });
  return compiled;
}

/** The compiler asks for files that are not there, too: the parts of its own library. */
function readOrNull(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
}

const text = Buffer.from(await compileKernels()).toString('base64');
fs.writeFileSync(
  process.argv[2] ?? path.join(simd, 'compiled.ts'),
  `/** Made of assembly/ by bin/wasm.mjs: a WebAssembly module in base64. */
export const compiled =
  '${text}';
`,
);
