import fs from 'node:fs/promises';
import path from 'node:path';
import { besideName } from '../../files/disposable.ts';
import { hasCode, naming } from '../../files/files.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { encodeHead, formatRecords, isSameEvent, parseRecords, wallTimeOf } from './tf-record.ts';

/** TensorBoard reads every file whose name has `tfevents` in it, those of a folder in the order of their names. */
const firstName = 'events.out.tfevents.peco-exp';
const ownName = /^events\.out\.tfevents\.peco-exp(\.\d{6,})?$/;

/**
 * The events of one run of TensorBoard, in a folder of its own that no other process writes.
 *
 * TensorBoard keeps reading a file where it stopped until there is one with a later name, so a file that is rewritten is not
 * read again, and one that is removed stops it. So events are appended. Where others are to take the place of what a file
 * has, or it ends in half a record, all events go into a file with the next name, by whose head TensorBoard forgets what it
 * had; only then is the one before emptied, which leaves its readers nothing to read.
 */
export class EventFile {
  readonly #folder: string;
  /** Those in the folder, the current one last. */
  #names: readonly string[] = [];
  /** Encoded, as in the current file. */
  #events: readonly Uint8Array[] = [];
  /** Of the current file; undefined if nothing may be appended to it. */
  #size: number | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** The file need not be there: it is made with the first event. */
  static async open(folder: string): Promise<EventFile> {
    const file = new EventFile(folder);
    await file.#read();
    return file;
  }

  /** Its absolute path; undefined while there is none. */
  get path(): string | undefined {
    const name = this.#names.at(-1);
    return name === undefined ? undefined : path.join(this.#folder, name);
  }

  /**
   * Brings it to these events, as they are known so far: where it has them and more, nothing changes, since a training
   * that was resumed comes there again. Events that it has keep their time.
   */
  async extend(events: readonly Uint8Array[]): Promise<void> {
    if (sharedLength(this.#events, events) < events.length) await this.#write(events);
  }

  /** Brings it to these events, and no others. */
  async finish(events: readonly Uint8Array[]): Promise<void> {
    if (sharedLength(this.#events, events) < Math.max(this.#events.length, events.length))
      await this.#write(events);
  }

  async #write(events: readonly Uint8Array[]): Promise<void> {
    const current = this.path;
    // Otherwise a user has removed or changed it meanwhile.
    if (current !== undefined && this.#size !== undefined && (await sizeOf(current)) !== this.#size)
      await this.#read();
    const shared = sharedLength(this.#events, events);
    if (this.#size !== undefined && shared === this.#events.length) await this.#append(events.slice(shared));
    else await this.#replace([...this.#events.slice(0, shared), ...events.slice(shared)]);
  }

  async #append(events: readonly Uint8Array[]): Promise<void> {
    const bytes = formatRecords(events);
    await naming(this.path!, fs.appendFile(this.path!, bytes));
    this.#events = [...this.#events, ...events];
    this.#size! += bytes.length;
  }

  async #replace(events: readonly Uint8Array[]): Promise<void> {
    const before = this.#names;
    const wallTime = events[0] === undefined ? 0 : wallTimeOf(events[0]);
    const bytes = formatRecords([...encodeHead(wallTime, before.length > 0), ...events]);
    await makeFolders(this.#folder);
    // Not a name that TensorBoard reads.
    const temporary = `${besideName(path.join(this.#folder, '.new'))}.tmp`;
    const name = nextName(before.at(-1));
    try {
      await naming(this.#folder, fs.writeFile(temporary, bytes));
      await fs.rename(temporary, path.join(this.#folder, name));
    } catch (error) {
      await fs.rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
    this.#names = [...before, name];
    this.#events = events;
    this.#size = bytes.length;
    for (const one of before) await this.#empty(one);
  }

  async #read(): Promise<void> {
    const all = await fs.readdir(this.#folder).catch((error: unknown) => {
      // What is in the way is said where the folder is made.
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
      throw error;
    });
    this.#names = all.filter((name) => ownName.test(name)).sort();
    this.#events = [];
    this.#size = undefined;
    const current = this.path;
    if (current === undefined) return;
    const bytes = await fs.readFile(current);
    const { events, whole } = parseRecords(bytes);
    this.#events = events;
    if (whole) this.#size = bytes.length;
    // Of a process that was killed before it came to that.
    for (const name of this.#names.slice(0, -1)) await this.#empty(name);
  }

  async #empty(name: string): Promise<void> {
    const file = path.join(this.#folder, name);
    if ((await sizeOf(file)) !== 0) await fs.truncate(file);
  }
}

function nextName(last: string | undefined): string {
  if (last === undefined) return firstName;
  const number = Number(last.slice(firstName.length + 1)) + 1;
  return `${firstName}.${String(number).padStart(6, '0')}`;
}

/** How many of the first events are the same, but for their times. */
function sharedLength(some: readonly Uint8Array[], others: readonly Uint8Array[]): number {
  const most = Math.min(some.length, others.length);
  let length = 0;
  while (length < most && isSameEvent(some[length]!, others[length]!)) length += 1;
  return length;
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await fs.stat(file).catch(() => undefined))?.size;
}
