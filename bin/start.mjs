import fs from 'node:fs';

/** Builds the command line if its sources changed, and runs it. */
export async function start(args) {
  // A clone has the sources' tsconfig.json, a published package has not: that one is built, and stays as it is. It is
  // built here if it was packed by `npm pack` alone.
  const has = (file) => fs.existsSync(new URL(`../${file}`, import.meta.url));
  if (has('tsconfig.json') || !has('dist/cli.js')) {
    const { build, isFresh } = await import('./build.mjs');
    if (!isFresh()) await build();
  }
  // Stacks are told by places in the sources.
  if (args.includes('--verbose')) process.setSourceMapsEnabled(true);
  const { main } = await import('../dist/cli.js');
  process.exitCode = await main(args);
}
