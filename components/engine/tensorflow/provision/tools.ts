import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that was called. */
export interface Called {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls a program; never throws. What isn't installed ends with code 127, as in a shell. */
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
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...texts };
  } catch (error) {
    return { code: 127, stdout: '', stderr: (error as Error).message };
  }
}

/** The last line that says what went wrong. */
export function lastError({ stderr, stdout, code }: Called): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  const errors = lines.filter((line) => /\berror\b/i.test(line));
  const last = errors.at(-1) ?? lines.filter((line) => line !== '').at(-1) ?? `exit code ${code}`;
  return last.replace(/^error: /i, '');
}

interface Tool {
  readonly what: string;
  readonly try: readonly [string, ...string[]];
  readonly remedy: string;
}

const tools: readonly Tool[] = [
  {
    what: 'pip of Python 3',
    try: ['python3', '-m', 'pip', '--version'],
    remedy: 'apt-get install python3-pip',
  },
  { what: 'npm', try: ['npm', '--version'], remedy: 'install it with Node' },
  { what: 'g++', try: ['g++', '--version'], remedy: 'apt-get install g++' },
  { what: 'tar', try: ['tar', '--version'], remedy: 'apt-get install tar' },
];

/** What is needed and can't be called, each with its remedy. */
export async function missingTools(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const called = await Promise.all(tools.map((tool) => call(tool.try, { env })));
  return tools
    .filter((_, index) => called[index].code !== 0)
    .map(({ what, remedy }) => `there is no ${what}: ${remedy}`);
}
