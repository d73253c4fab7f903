import fs from 'node:fs';

/** Builds the command line if its sources changed, and runs it. */
export async function start(args) {
  // A clone has the sources' tsconfig.json, a published package has not: that one is built, and stays as it is.
  if (fs.existsSync(new URL('../tsconfig.json', import.meta.url))) {
    const { build, isFresh } = await import('./build.mjs');
    if (!isFresh()) await build();
  }
  // Stacks are told by places in the sources.
  if (args.includes('--verbose')) process.setSourceMapsEnabled(true);
  const { main } = await import('../dist/cli.js');
  process.exitCode = await main(args);
}
