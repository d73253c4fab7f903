/**
 * Builds dist/: the command line, the entries of its processes, and the library. Also tells whether what is there is
 * up to date, so that a clone needs no build step: the launcher builds when a source has changed.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
const recordFile = path.join(dist, 'build.json');

const entries = {
  cli: 'framework/cli/main.ts',
  worker: 'framework/run/worker/worker.ts',
  // Called as a process, as the worker is: the command line knows where it lies, not what it computes.
  'engine-check': 'components/engine/check-process.ts',
  'engine-speed': 'components/engine/speed-process.ts',
  'engine-provision': 'components/engine/tensorflow/provision/process.ts',
  'decode-worker': 'components/data/decode/worker.ts',
  'tensorflow-worker': 'components/engine/tensorflow/worker.ts',
  'folder-worker': 'framework/files/folder-worker.ts',
  index: 'index.ts',
  kit: 'kit.ts',
  results: 'framework/read/index.ts',
};
// What answers when nothing changed. CommonJS, since Node starts that faster; it imports nothing of the others.
const quickEntry = { quick: 'framework/cli/quick/quick.ts' };

// What report.html does in a browser, and how it looks: pages have them inside.
const pageEntry = { 'report-page': 'reports/formats/html/browser/main.ts' };

const oneDay = 24 * 3600 * 1000; // milliseconds
const launcherFiles = ['bin/build.mjs', 'bin/start.mjs', 'bin/peco-exp.js'];

/** True if dist/ was built from the sources as they are now: by their sizes and times, it takes milliseconds. */
export function isFresh() {
  try {
    const record = JSON.parse(fs.readFileSync(recordFile, 'utf8'));
    return Object.entries(record.inputs).every(([file, stamp]) => stampOf(path.join(root, file)) === stamp);
  } catch {
    return false;
  }
}

/** Builds dist/. Several processes may do so at once, and others may be using it: each file changes by one rename. */
export async function build() {
  const started = Date.now();
  const results = await Promise.all([
    // Split, so that what is imported lazily is also loaded lazily, packages included.
    bundle(entries, { format: 'esm', splitting: true, sourcemap: 'linked', plugins: [keepImplementations] }),
    bundle(quickEntry, { format: 'cjs', outExtension: { '.js': '.cjs' }, minify: true }),
    bundle(pageEntry, pageOptions()),
  ]);
  // A source that was edited while we read it counts as changed: it is built again the next time.
  const stampUnlessNewer = (file) => (fs.statSync(file).mtimeMs >= started ? 'changed' : stampOf(file));
  const inputs = Object.fromEntries(
    [...results.flatMap(({ metafile }) => Object.keys(metafile.inputs)), ...launcherFiles].map((file) => [
      file,
      stampUnlessNewer(path.join(root, file)),
    ]),
  );
  fs.mkdirSync(dist, { recursive: true });
  for (const { outputFiles } of results)
    for (const { path: file, contents } of outputFiles) replaceFile(file, contents);
  replaceFile(recordFile, JSON.stringify({ inputs }));
  removeOldChunks(new Set(results.flatMap(({ outputFiles }) => outputFiles.map((file) => file.path))));
}

async function bundle(entryPoints, options) {
  const esbuild = await import('esbuild');
  return esbuild.build({
    absWorkingDir: root,
    entryPoints,
    outdir: 'dist',
    bundle: true,
    write: false,
    metafile: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    sourcesContent: false,
    logLevel: 'silent',
    ...options,
  });
}

/** uPlot is inside, with its licence. */
function pageOptions() {
  // Of an installed package it may lie beside this one.
  const place = createRequire(import.meta.url).resolve('uplot/LICENSE');
  const licence = fs.readFileSync(place, 'utf8').trim();
  const notice = `/*! uPlot (https://github.com/leeoniya/uPlot)\n${licence} */`;
  return {
    ...{ format: 'iife', platform: 'browser', target: 'es2022', packages: 'bundle', minify: true },
    // Nothing in it may end the element that it is in.
    supported: { 'inline-script': false, 'inline-style': false },
    banner: { js: notice, css: notice },
  };
}

/**
 * Components name their implementation modules relative to `import.meta.url`. In the library's one file that would be
 * dist/; the sources are in the package, so each module keeps its own place, told relative to dist/.
 */
const keepImplementations = {
  name: 'keep-implementations',
  setup(build) {
    // The framework has one, that of selections.
    const filter = /[\\/]((components|reports)[\\/].*|framework[\\/]experiment[\\/]changes[\\/]halving)\.ts$/;
    build.onLoad({ filter }, async ({ path: file }) => {
      const text = await fs.promises.readFile(file, 'utf8');
      const relative = path.relative(dist, file).split(path.sep).join('/');
      const place = `new URL(${JSON.stringify(relative)}, import.meta.url).href`;
      return { contents: text.replaceAll('import.meta.url', `(${place})`), loader: 'ts' };
    });
  },
};

/** Those of earlier builds, unless a process that still runs may want them. */
function removeOldChunks(current) {
  for (const name of fs.readdirSync(dist)) {
    const file = path.join(dist, name);
    const isChunk = /-[A-Z0-9]{8}\.js(\.map)?$/.test(name) && !current.has(file);
    if (isChunk && Date.now() - fs.statSync(file).mtimeMs > oneDay) fs.rmSync(file, { force: true });
  }
}

function stampOf(file) {
  const { size, mtimeMs } = fs.statSync(file);
  return `${size} ${mtimeMs}`;
}

function replaceFile(file, contents) {
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, contents);
  fs.renameSync(temporary, file);
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href)
  await build();
