import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface ProgramOptions {
  /** Milliseconds. A program that takes longer is killed. */
  readonly patience: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Its folder; absent: the current one. */
  readonly cwd?: string;
  /** Bytes that it may print at most. */
  readonly most: number;
}

/**
 * What a program prints on stdout. Not by `timeout` of `execFile`: where this process itself stood still for so long, a
 * program that has ended well meanwhile would have printed nothing.
 *
 * @throws the error of `execFile`, with `stderr`; its code is `ABORT_ERR` if there was no answer in time
 */
export async function outputOf(
  program: string,
  args: readonly string[],
  { patience, most, ...options }: ProgramOptions,
): Promise<string> {
  const signal = AbortSignal.timeout(patience);
  const { stdout } = await promisify(execFile)(program, args, { ...options, signal, maxBuffer: most });
  return stdout;
}
