import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ProvisionFlags {
  readonly gpu?: boolean;
  readonly yes?: boolean;
}

/**
 * `peco-exp provision ENGINE`: the built `engine-provision.js` does it and talks to the terminal. Returns its exit code.
 */
export async function provisionCommand(engine: string, { gpu, yes }: ProvisionFlags): Promise<number> {
  const script = fileURLToPath(new URL('./engine-provision.js', import.meta.url));
  const args = [engine, ...(gpu ? ['--gpu'] : []), ...(yes ? ['--yes'] : [])];
  const child = fork(script, args, { stdio: 'inherit', execArgv: [] });
  // Ctrl-C goes to both; the child says what is left.
  const wait = () => {};
  process.on('SIGINT', wait);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  process.off('SIGINT', wait);
  if (code !== null) return code;
  process.stderr.write(`its process ended by ${signal}; the same command resumes\n`);
  return 1;
}
