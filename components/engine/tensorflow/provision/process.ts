/**
 * Entry of `peco-exp provision`: `node engine-provision.js tensorflow [--gpu] [--yes] [--json] [--verbose]`. A process of
 * its own, since the command line knows where it lies, not what it does. It talks to the terminal itself, and tells its
 * parent how it ended.
 */
import { once } from 'node:events';
import os from 'node:os';
import { createInterface } from 'node:readline/promises';
import { ProvisionError } from './download.ts';
import { provision } from './provision.ts';

const flags = new Set(process.argv.slice(2));
// With --json a program reads, and none answers.
const terminal = !flags.has('--json') && process.stdin.isTTY === true && process.stdout.isTTY === true;

async function confirm(): Promise<boolean> {
  if (flags.has('--yes')) return true;
  if (!terminal)
    throw new ProvisionError('there is no terminal to ask whether to go on: add --yes', 'lacking');
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  // After Ctrl-C and Ctrl-D there is no answer; versions of Node differ in what becomes of the question.
  const closed = once(reader, 'close').then(() => '');
  reader.once('SIGINT', () => reader.close());
  const answered = reader.question('go on? [y/N] ').catch(() => '');
  const answer = await Promise.race([answered, closed]);
  reader.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Until it has gone: nothing else keeps this process. */
function tellParent(answer: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(answer, () => resolve());
    else resolve();
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    process.stderr.write('\nstopped; what is finished stays, and the same command resumes\n');
    process.exit(128 + os.constants.signals[signal]);
  });
}
// The command line's process is gone (kill -9, for example): no process is left that could stop this one.
process.once('disconnect', () => process.exit(1));
process.channel?.unref();

try {
  const variant = flags.has('--gpu') ? 'gpu' : 'cpu';
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const ended = await provision({ variant, confirm, say, terminal });
  if (ended === 'declined') say('nothing was done');
  else await tellParent({ ready: ended });
} catch (error) {
  const expected = error instanceof ProvisionError;
  const { message, stack = message } = error as Error;
  const text = expected ? message : `unexpected error: ${flags.has('--verbose') ? stack : message}`;
  if (!flags.has('--json')) process.stderr.write(`${text}\n`);
  await tellParent({ failed: text, lacking: expected && error.kind === 'lacking' });
  // 2: something that is needed is not here; 1: a step failed.
  process.exitCode = expected && error.kind === 'lacking' ? 2 : 1;
}
