import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Command } from './tools.ts';

/** One run of a command, with all processes that it started and waited for. */
export interface Sample {
  readonly wallMs: number;
  /** User and system time, in steps of 10 ms. */
  readonly cpuMs?: number;
  /** Of its largest process. */
  readonly peakMiB?: number;
}

// GNU time: Node tells nothing about the resources of its children.
const timeProgram = '/usr/bin/time';
export const countsResources = fs.existsSync(timeProgram);

/** The environment without what npm adds for the benchmark itself. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|INIT_CWD$|NODE_OPTIONS$|FORCE_COLOR$|MAKEFLAGS$)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: '1' };
}

/** Runs a command to its end. Throws, with what it printed, if it fails. Its output goes to a file in `scratch`. */
export function measure(command: Command, scratch: string): Sample {
  const log = path.join(scratch, 'output.log');
  const usage = path.join(scratch, 'usage.txt');
  const wrapper = countsResources ? [timeProgram, '-q', '-f', '%U %S %M', '-o', usage] : [];
  const [program, ...args] = [...wrapper, ...command.argv];
  const fd = fs.openSync(log, 'w');
  const started = performance.now();
  const { status, error } = spawnSync(program!, args, {
    cwd: command.cwd,
    env: { ...cleanEnvironment(), ...command.env },
    stdio: ['ignore', fd, fd],
  });
  const wallMs = performance.now() - started;
  fs.closeSync(fd);
  if (status !== 0) {
    const tail = fs.readFileSync(log, 'utf8').slice(-2000);
    throw new Error(
      `${command.argv.join(' ')} in ${command.cwd}: ${error?.message ?? `exit code ${status}`}\n${tail}`,
    );
  }
  if (!countsResources) return { wallMs };
  const [user, system, peak] = fs.readFileSync(usage, 'utf8').trim().split(' ').map(Number);
  return { wallMs, cpuMs: (user! + system!) * 1000, peakMiB: peak! / 1024 };
}

/** What the last measured command printed. */
export function lastOutput(scratch: string): string {
  return fs.readFileSync(path.join(scratch, 'output.log'), 'utf8');
}
