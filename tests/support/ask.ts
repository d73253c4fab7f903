import { main } from '../../framework/cli/main.ts';
import { forgetBundles } from '../../framework/code/code.ts';

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command listens to up to the end of its process. */
const heard: readonly (readonly [NodeJS.EventEmitter, string])[] = [
  ...['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [process, signal] as const),
  [process.stdout, 'error'],
  [process.stderr, 'error'],
];

/**
 * Gives a command to the command line in this process, since starting one takes longer than most commands. For serial
 * tests: meanwhile all that the process prints is the command's, and `dir` is the current folder.
 */
export async function ask({ dir }: { readonly dir: string }, ...args: readonly string[]): Promise<Answer> {
  const texts = { stdout: '', stderr: '' };
  const restore = (['stdout', 'stderr'] as const).map((name) => {
    const { write } = process[name];
    process[name].write = ((piece: string) => {
      texts[name] += piece;
      return true;
    }) as typeof write;
    return () => {
      process[name].write = write;
    };
  });
  const before = process.cwd();
  const listeners = heard.map(([emitter, event]) => emitter.listeners(event));
  process.chdir(dir);
  forgetBundles(); // as a new process, it sees the files as they are
  try {
    return { code: await main(args), ...texts };
  } finally {
    process.chdir(before);
    for (const [index, [emitter, event]] of heard.entries()) {
      emitter.removeAllListeners(event);
      for (const one of listeners[index]!) emitter.on(event, one as () => void);
    }
    for (const end of restore) end();
  }
}
