import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that was called. */
export interface Called {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill();
});

/**
 * Calls a program; never throws. What isn't installed ends with code 127, as in a shell. The program ends with this
 * process, however that ends, but for kill -9.
 */
export async function call(
  command: readonly [string, ...string[]],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly show?: boolean } = {},
): Promise<Called> {
  const { cwd, env = process.env, show = false } = options;
  const [program, ...args] = command;
  const child = spawn(program, args, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    // pip draws its progress on a terminal only.
    stdio: ['ignore', show ? 'inherit' : 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  running.add(child);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...texts };
  } catch (error) {
    return { code: 127, stdout: '', stderr: (error as Error).message };
  } finally {
    running.delete(child);
  }
}

/** The last line that says what went wrong. */
export function lastError({ stderr, stdout, code }: Called): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  const errors = lines.filter((line) => /\berror\b/i.test(line));
  const last = errors.at(-1) ?? lines.filter((line) => line !== '').at(-1) ?? `exit code ${code}`;
  return last.replace(/^error: /i, '');
}

/** What `npm --json` says went wrong. */
export function npmError(called: Called): string {
  try {
    const { error } = JSON.parse(called.stdout) as { readonly error: { readonly summary: string } };
    return error.summary.split('\n')[0]!;
  } catch {
    return lastError(called);
  }
}

type Program = 'pip' | 'npm' | 'g++' | 'tar';

interface Tool {
  readonly program: Program;
  readonly what: string;
  readonly try: readonly [string, ...string[]];
  readonly remedy: string;
}

const tools: readonly Tool[] = [
  {
    program: 'pip',
    what: 'pip of Python 3',
    try: ['python3', '-m', 'pip', '--version'],
    remedy: 'apt-get install python3-pip',
  },
  { program: 'npm', what: 'npm', try: ['npm', '--version'], remedy: 'install it with Node' },
  { program: 'g++', what: 'g++', try: ['g++', '--version'], remedy: 'apt-get install g++' },
  { program: 'tar', what: 'tar', try: ['tar', '--version'], remedy: 'apt-get install tar' },
];

/** Which of these programs can't be called, each with its remedy. */
export async function missingTools(
  needed: ReadonlySet<Program>,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const wanted = tools.filter(({ program }) => needed.has(program));
  const called = await Promise.all(wanted.map((tool) => call(tool.try, { env })));
  return wanted
    .filter((_, index) => called[index].code !== 0)
    .map(({ what, remedy }) => `there is no ${what}: ${remedy}`);
}
