import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { hasCode } from '../files/files.ts';

/** A process as others can tell it: across hosts, restarts of a host, and pids that are used again. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** When it started, in ticks since the host did; only where there is /proc. */
  readonly started?: string;
  /** Host, its last start and its space of pids (a container has its own): where `pid` means this process. */
  readonly space?: string;
}

let mySpace: string | undefined;
const myStart = new Map<number, string | undefined>();

export function identifyProcess(): ProcessIdentity {
  const { pid } = process;
  if (!myStart.has(pid)) myStart.set(pid, readProcess(pid)?.started);
  const started = myStart.get(pid);
  return { pid, host: os.hostname(), space: currentSpace(), ...(started === undefined ? {} : { started }) };
}

/** False for a process on another host, or in another container: its pid means nothing here. */
export function isOurs(other: ProcessIdentity): boolean {
  return other.space === undefined ? other.host === os.hostname() : other.space === currentSpace();
}

/** True only if it is certain. */
export function isDead(other: ProcessIdentity): boolean {
  if (!isOurs(other)) return false;
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return true;
  }
  const found = readProcess(other.pid);
  if (found === undefined) return false;
  // A zombie holds nothing any more. A later start means that the pid was given to another process.
  if (found.state === 'Z' || found.state === 'X') return true;
  return other.started !== undefined && other.started !== found.started;
}

/** `out-<pid>.<start>.<space>-<uuid>`: the name of a temporary file or folder says which process clears it away. */
export function temporaryName(kind: string): string {
  const { pid, started = '', space = '' } = identifyProcess();
  return `${kind}-${pid}.${started}.${space}-${randomUUID()}`;
}

/** Who made a temporary name; undefined for names that were made otherwise. */
export function ownerOfName(name: string): ProcessIdentity | undefined {
  const match = /^[a-z]+-(\d+)\.(\d*)\.([0-9a-f]+)-/.exec(name);
  if (!match) return undefined;
  const [, pid, started, space] = match as unknown as [string, string, string, string];
  return { pid: Number(pid), host: '', space, ...(started === '' ? {} : { started }) };
}

function currentSpace(): string {
  mySpace ??= createHash('sha256')
    .update(JSON.stringify([os.hostname(), readBootId(), readPidSpace()]))
    .digest('hex')
    .slice(0, 12);
  return mySpace;
}

function readBootId(): string {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function readPidSpace(): string {
  try {
    return fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readProcess(pid: number): { readonly state: string; readonly started: string } | undefined {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the fields after it don't.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0]!, started: fields[19]! };
  } catch {
    return undefined;
  }
}
