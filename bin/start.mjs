import fs from 'node:fs';

const withoutTypes =
  'warning: this copy of peco-exp was packed without its types, so editors and compilers know nothing of it\n' +
  '  in its clone, `npm run package` packs all of it\n';

/** Builds the command line if its sources changed, and runs it; `leave` is called once that listens to signals itself. */
export async function start(args, leave) {
  // A clone has the sources' tsconfig.json, a published package has not: that one is built, and stays as it is. It is
  // built here if it was packed by `npm pack` alone, which can't be kept from that: it runs no script here (.npmrc).
  const has = (file) => fs.existsSync(new URL(`../${file}`, import.meta.url));
  const isClone = has('tsconfig.json');
  if (!isClone && !has('dist/types/index.d.ts')) process.stderr.write(withoutTypes);
  if (isClone || !has('dist/cli.js')) {
    const { build, isFresh } = await import('./build.mjs');
    if (!isFresh()) await build();
  }
  // Stacks show places in the sources.
  if (args.includes('--verbose')) process.setSourceMapsEnabled(true);
  const { main } = await import('../dist/cli.js');
  const running = main(args);
  leave();
  process.exitCode = await running;
}
