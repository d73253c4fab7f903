import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PecoError } from '../../stage/errors.ts';
import { printLines } from '../print.ts';

export interface ProvisionFlags {
  readonly gpu?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** How its process says that it ended; the first line of a message says what is wrong, the others what to do. */
type Answer =
  | { readonly ready: { readonly folder: string; readonly version: string; readonly gpu: boolean } }
  | { readonly failed: string; readonly lacking: boolean };

/**
 * `peco-exp provision ENGINE`: the built `engine-provision.js` does it and talks to the terminal, with `--json` on stderr.
 * Returns its exit code.
 *
 * @throws PecoError with `--json` only, for what its process says on stderr otherwise
 */
export async function provisionCommand(engine: string, flags: ProvisionFlags): Promise<number> {
  const script = fileURLToPath(new URL('./engine-provision.js', import.meta.url));
  const given = (['gpu', 'yes', 'json', 'verbose'] as const).filter((name) => flags[name]);
  const child = fork(script, [engine, ...given.map((name) => `--${name}`)], {
    stdio: ['inherit', flags.json ? 2 : 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  });
  let answer: Answer | undefined;
  child.on('message', (message) => {
    answer = message as Answer;
  });
  // Ctrl-C goes to both; the child says what is left.
  const wait = () => {};
  process.on('SIGINT', wait);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  process.off('SIGINT', wait);
  if (flags.json && answer !== undefined) return answerAsJson(engine, answer);
  if (code !== null) return code;
  process.stderr.write(`its process ended by ${signal}; the same command resumes\n`);
  return 1;
}

function answerAsJson(engine: string, answer: Answer): number {
  if ('failed' in answer) {
    const [message = '', ...hints] = answer.failed.split('\n').map((line) => line.trim());
    const hint = hints.length === 0 ? {} : { hint: hints.join('\n') };
    throw new PecoError(message, { code: answer.lacking ? 'lacking' : 'provision-failed', ...hint });
  }
  printLines([JSON.stringify({ engine, ...answer.ready })]);
  return 0;
}
