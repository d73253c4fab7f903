import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ranFile, type Shape } from './graph.ts';
import { cleanEnvironment } from './measure.ts';

export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env?: { readonly [name: string]: string };
}

/** A build tool that can make the graph. */
export interface Tool {
  readonly name: string;
  /** How it was set up, for readers of the table. */
  readonly note: string;
  /** Undefined where it is not installed. */
  version(): string | undefined;
  /** Writes the graph into an empty folder. */
  write(dir: string, shape: Shape): void;
  /** Brings the graph up to date: what is measured when nothing has changed. */
  command(dir: string): Command;
}

/** A program's version: the first thing in its output that looks like one. */
export function versionOf(program: string, args: readonly string[] = ['--version']): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return status === 0 ? /\d+\.\d+(\.\d+)?/.exec(`${stdout}\n${stderr}`)?.[0] : undefined;
}

/** How many stages have run in a peer's folder since it was written; a build tool's own words are not asked. */
export function countRan(dir: string): number {
  const files = [path.join(dir, ranFile), path.join(dir, 'graph', ranFile)];
  const text = files.map((file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '')).join('');
  return text.split('\n').length - 1;
}
