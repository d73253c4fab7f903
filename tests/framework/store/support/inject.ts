import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';

/**
 * What happens at one call of the file system. `killed ...`: the process ends before, halfway through or after the call:
 * from then on none of its calls has an effect, and none returns. `torn`: half of the bytes are written, then ENOSPC.
 */
export type Fault = 'killed before' | 'killed halfway' | 'killed after' | 'torn' | (typeof errors)[number];

export const errors = ['ENOSPC', 'EACCES', 'EIO', 'EROFS'] as const;
export const faults: readonly Fault[] = [
  'killed before',
  'killed halfway',
  'killed after',
  'torn',
  ...errors,
];

/** A pid that no process has: beyond the largest that Linux gives. */
export const deadPid = 4_194_305;

export interface Injected<T> {
  /** What the calls were, for counting them: `rename tmp/..`. */
  readonly calls: readonly string[];
  readonly result:
    | { readonly type: 'done'; readonly value: T }
    | { readonly type: 'failed'; readonly error: unknown }
    | { readonly type: 'killed' };
}

interface Plan {
  /** Which call, from 1; none if undefined. */
  readonly at?: number;
  readonly fault?: Fault;
  /** Calls on files elsewhere don't count. */
  readonly root: string;
}

const syncNames = [
  'readFileSync',
  'lstatSync',
  'statSync',
  'utimesSync',
  'renameSync',
  'rmSync',
  'readdirSync',
  'existsSync',
] as const;
const promiseNames = [
  'readFile',
  'writeFile',
  'mkdir',
  'rename',
  'rm',
  'link',
  'copyFile',
  'chmod',
  'lstat',
  'stat',
  'readdir',
  'utimes',
  'open',
] as const;
const handleNames = ['sync', 'writeFile', 'close', 'utimes'] as const;
/** Those that need space: the others don't fail for want of it. */
const needSpace = /^(writeFile|mkdir|rename|link|copyFile|open|handle\.writeFile|handle\.sync)/;
const onlyRead = /^(readFile|lstat|stat|readdir|exists|stream|handle\.close)/;

type Call = (...args: unknown[]) => unknown;

/**
 * Runs `work`, as if in a process of its own (with a pid of a dead one), with a fault at one of its calls of the file
 * system. No hooks in the code under test: the functions of `fs` are replaced meanwhile.
 */
export async function inject<T>(plan: Plan, work: () => Promise<T>): Promise<Injected<T>> {
  const calls: string[] = [];
  let killed = false;
  let tellKilled = (): void => {};
  const kill = new Promise<void>((resolve) => {
    tellKilled = resolve;
  });
  const never = new Promise<never>(() => {});
  const opened = new Set<fs.promises.FileHandle>();
  const restore: (() => void)[] = [];

  function replace(
    owner: object,
    name: string,
    shown: string,
    mode: 'sync' | 'async',
    isOurs: (args: unknown[], self: unknown) => boolean,
  ): void {
    const original = Reflect.get(owner, name) as Call;
    restore.push(() => Reflect.set(owner, name, original));
    Reflect.set(owner, name, function (this: unknown, ...args: unknown[]) {
      const perform = () => original.apply(this, args);
      if (!isOurs(args, this)) return perform();
      if (mode === 'sync') return decide(shown, args, perform);
      try {
        const outcome = decide(shown, args, perform);
        return outcome instanceof Promise ? outcome : Promise.resolve(outcome);
      } catch (error) {
        return error === frozen ? never : Promise.reject(error);
      }
    });
  }

  function decide(shown: string, args: unknown[], perform: () => unknown): unknown {
    if (killed) throw frozen;
    calls.push(
      `${shown} ${args
        .filter((arg) => typeof arg === 'string')
        .map((arg) => path.relative(plan.root, arg as string))
        .join(' ')}`,
    );
    if (calls.length !== plan.at) return perform();
    switch (plan.fault) {
      case undefined:
        return perform();
      case 'killed before':
        die();
        throw frozen;
      case 'killed halfway':
        halfway(shown, args);
        die();
        throw frozen;
      case 'killed after': {
        let outcome: unknown;
        try {
          outcome = perform();
        } catch {
          // It failed without an error.
        }
        if (outcome instanceof Promise) return outcome.then(die, die).then(() => never);
        die();
        throw frozen;
      }
      case 'torn':
        if (!/writeFile|copyFile/.test(shown)) return perform();
        halfway(shown, args);
        throw failure('ENOSPC', shown);
      default:
        if (plan.fault === 'ENOSPC' ? !needSpace.test(shown) : plan.fault === 'EROFS' && onlyRead.test(shown))
          return perform();
        if (shown === 'exists') return false;
        throw failure(plan.fault!, shown);
    }
  }

  function die(): void {
    killed = true;
    tellKilled();
  }

  const inside = (args: unknown[]): boolean =>
    args.some((arg) => typeof arg === 'string' && path.isAbsolute(arg) && arg.startsWith(plan.root));
  for (const name of syncNames) replace(fs, name, name.replace('Sync', ''), 'sync', inside);
  const { open } = fs.promises;
  restore.push(() => Reflect.set(fs.promises, 'open', open));
  Reflect.set(fs.promises, 'open', async (...args: Parameters<typeof open>) => {
    const file = await open(...args);
    if (inside(args)) opened.add(file);
    return file;
  });
  for (const name of promiseNames) replace(fs.promises, name, name, 'async', inside);
  const { createReadStream } = fs;
  restore.push(() => Reflect.set(fs, 'createReadStream', createReadStream));
  Reflect.set(fs, 'createReadStream', (...args: Parameters<typeof createReadStream>) => {
    if (!inside(args)) return createReadStream(...args);
    try {
      return decide('stream', args, () => createReadStream(...args));
    } catch (error) {
      return new Readable({
        read:
          error === frozen
            ? () => {}
            : function () {
                this.destroy(error as Error);
              },
      });
    }
  });
  const handle = await openSpare();
  const prototype = Object.getPrototypeOf(handle) as object;
  await handle.close();
  for (const name of handleNames)
    replace(prototype, name, `handle.${name}`, 'async', (_args, self) =>
      opened.has(self as fs.promises.FileHandle),
    );
  const { pid } = process;
  Object.defineProperty(process, 'pid', { value: deadPid, configurable: true, writable: true });

  let settled: Injected<T>['result'] | undefined;
  try {
    const outcome = work().then(
      (value) => {
        settled = { type: 'done', value };
      },
      (error: unknown) => {
        settled = { type: 'failed', error };
      },
    );
    await Promise.race([outcome, kill]);
    // What the victim still does after its death must find the replaced functions.
    for (let turn = 0; killed && turn < 5; turn++) await new Promise(setImmediate);
  } finally {
    Object.defineProperty(process, 'pid', { value: pid, configurable: true, writable: true });
    for (const undo of restore.reverse()) undo();
    for (const file of opened) await file.close().catch(() => {});
  }
  return { calls, result: killed ? { type: 'killed' } : settled! };
}

const frozen = new Error('the process is dead');

const real = { ...fs };

/** What a call leaves that was cut short. */
function halfway(shown: string, args: unknown[]): void {
  const [first, second] = args as [string, string | Buffer];
  if (shown === 'writeFile') real.appendFileSync(first, half(second));
  else if (shown === 'copyFile') real.writeFileSync(second as string, half(real.readFileSync(first)));
  else if (shown === 'rm' && real.lstatSync(first, { throwIfNoEntry: false })?.isDirectory()) {
    const names = real.readdirSync(first);
    if (names[0] !== undefined) real.rmSync(path.join(first, names[0]), { recursive: true });
  }
}

function half(content: string | Buffer): string | Buffer {
  return content.slice(0, Math.floor(content.length / 2));
}

function failure(code: string, shown: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected, ${shown}`), { code });
}

function openSpare(): Promise<fs.promises.FileHandle> {
  return fs.promises.open(process.execPath, 'r');
}
