#!/usr/bin/env node
// CommonJS (see package.json beside it), and as little as can be: for a run in which nothing changed, starting Node is most of the time.
const fs = require('node:fs');
const path = require('node:path');

const args = process.argv.slice(2);
const dist = path.join(__dirname, '..', 'dist');
const quick = path.join(dist, 'quick.cjs');
if (!hasFolder()) {
  process.stderr.write(
    'the current folder is gone: it was deleted or moved away\n  change to another one (cd)\n',
  );
  process.exitCode = 2;
} else if (args[0] !== 'run' || !fs.existsSync(quick) || !require(quick).runQuickly(args)) {
  import('./start.mjs').then(({ start }) => start(args));
}

function hasFolder() {
  try {
    return process.cwd() !== '';
  } catch {
    return false;
  }
}
