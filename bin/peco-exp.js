#!/usr/bin/env node
// CommonJS (see package.json beside it), and as little as can be: for a run in which nothing changed, starting Node is
// most of the time. An old Node must be able to read this file to say what is wrong: no newer syntax, no `node:` above.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`peco-exp needs Node 20.19 or newer, and this is Node ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  launch(process.argv.slice(2));
}

function launch(args) {
  const fs = require('node:fs');
  const path = require('node:path');
  const quick = path.join(__dirname, '..', 'dist', 'quick.cjs');
  const leave = args.includes('--json') ? answerInterrupts(fs) : () => {};
  if (!hasFolder()) {
    process.stderr.write(
      'the current folder is gone: it was deleted or moved away\n  change to another one (cd)\n',
    );
    process.exitCode = 2;
    leave();
  } else if (args[0] !== 'run' || !fs.existsSync(quick) || !require(quick).runQuickly(args)) {
    import('./start.mjs').then(({ start }) => start(args, leave));
  } else {
    leave();
  }
}

/** Stdout has JSON also where Ctrl-C comes before the command line listens; as framework/cli/main.ts says it then. */
function answerInterrupts(fs) {
  const error = {
    code: 'interrupted',
    message: 'interrupted before there was an answer',
    hint: null,
    location: null,
    problems: [],
  };
  const answer = () => {
    fs.writeSync(1, `${JSON.stringify({ error })}\n`);
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, answer);
  return () => {
    for (const signal of signals) process.off(signal, answer);
  };
}

function hasFolder() {
  try {
    return process.cwd() !== '';
  } catch (_) {
    return false;
  }
}
