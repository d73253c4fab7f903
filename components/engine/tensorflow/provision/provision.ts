import fs from 'node:fs';
import path from 'node:path';
import type { LibraryRecord, UnpackedPackage, Variant } from '../place.ts';
import { addonFile, libraryFolder, readRecord, recordFile, wrongFile } from '../place.ts';
import { buildAddon } from './build.ts';
import { type Catalogue, catalogues, type Download, sumOf } from './catalogue.ts';
import {
  clearLeftovers,
  digestOf,
  downloadsFolder,
  fetchPackage,
  fetchWheel,
  fullDiskRemedy,
  isFullDisk,
  type Place,
  ProvisionError,
} from './download.ts';
import { explainDriver, readDriver } from './driver.ts';
import { lockFolder } from './lock.ts';
import { type Platform, refusePlatform, thisPlatform } from './platform.ts';
import { formatOutlook, formatSize, largest, type Outlook } from './text.ts';
import { missingTools } from './tools.ts';
import { type Tried, tryLibrary } from './try.ts';

export interface ProvisionOptions {
  readonly variant: Variant;
  /** Answers whether to go on, once the user has read what will be done. */
  confirm(): Promise<boolean>;
  say(line: string): void;
  readonly terminal?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  /** The others are for tests. */
  readonly platform?: Platform;
  readonly catalogue?: Catalogue;
  readonly driver?: string | undefined;
  readonly tryIt?: (folder: string, env: NodeJS.ProcessEnv) => Promise<Tried>;
}

/** How it ended: what is ready, or that the user declined. */
export type Provisioned =
  | { readonly folder: string; readonly version: string; readonly gpu: boolean }
  | 'declined';

/**
 * Provides TensorFlow's library in a folder of the user's cache (or PECO_TENSORFLOW): downloads wheels by pip, unpacks
 * what is needed of them, builds the addon, loads it once. What was finished by an earlier call is not done again.
 *
 * @throws ProvisionError for another platform, missing tools, too little disk space, and a step that fails
 */
export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const { variant, say, terminal = false, env = process.env } = options;
  const { platform = thisPlatform(), catalogue = catalogues[variant], tryIt = tryLibrary } = options;
  const refusal = refusePlatform(platform);
  if (refusal !== undefined) throw new ProvisionError(refusal, 'lacking');
  const folder = libraryFolder(variant, env);
  let answer: 'ready' | 'declined';
  try {
    answer = await complete(new Work({ folder, env, terminal, say }, variant, catalogue), options);
  } catch (error) {
    throw explainFileError(error, folder);
  }
  if (answer === 'declined') return answer;
  say('loading it');
  const tried = await tryIt(folder, env);
  if (!tried.works)
    throw new ProvisionError(
      `the library in ${folder} does not load: ${tried.problem}\n  delete the folder and run the same command again; if that changes nothing, report it`,
    );
  say(`TensorFlow ${tried.version} is ready in ${folder}: it computes on ${tried.gpu ? 'a GPU' : 'the CPU'}`);
  say('  use it with --engine tensorflow; peco-exp doctor tells more');
  return { folder, version: tried.version, gpu: tried.gpu };
}

/** Does what is left of a library, if the user agrees. */
async function complete(work: Work, options: ProvisionOptions): Promise<'ready' | 'declined'> {
  if (work.isDone()) return 'ready';
  const { confirm, say, env = process.env } = options;
  const lacking = await missingTools(work.tools(), env);
  if (lacking.length > 0)
    throw new ProvisionError(`something is missing here\n  ${lacking.join('\n  ')}`, 'lacking');
  for (const line of formatOutlook(outlookOf(work, options))) say(line);
  work.checkSpace();
  if (!(await confirm())) return 'declined';
  await work.finish();
  return 'ready';
}

function outlookOf(work: Work, options: ProvisionOptions): Outlook {
  const { variant } = options;
  const driver = 'driver' in options ? options.driver : readDriver();
  const noGpu = variant === 'gpu' ? explainDriver(driver) : undefined;
  return { ...work.outlook(), unusedGpu: driver !== undefined, ...(noGpu === undefined ? {} : { noGpu }) };
}

/** What is done of a library, and the rest of it. The record is written after each step. */
class Work {
  private readonly place: Place;
  private readonly variant: Variant;
  private readonly catalogue: Catalogue;
  private record: LibraryRecord;

  constructor(place: Omit<Place, 'rest'>, variant: Variant, catalogue: Catalogue) {
    this.place = { ...place, rest: () => this.rest() };
    this.variant = variant;
    this.catalogue = catalogue;
    const { tensorflow, cuda } = catalogue;
    const found = readRecord(place.folder);
    const fresh: LibraryRecord = {
      tensorflow,
      variant,
      ...(cuda === undefined ? {} : { cuda }),
      packages: {},
    };
    if (found !== undefined && found.variant !== variant && Object.keys(found.packages).length > 0)
      throw new ProvisionError(otherVariant(place.folder, found.variant), 'lacking');
    this.record = found?.variant === variant ? this.keepSound(found) : fresh;
  }

  isDone(): boolean {
    return this.record.addon !== undefined && this.missingWheels().length === 0;
  }

  /** What the user reads of it before answering. */
  outlook(): Omit<Outlook, 'noGpu' | 'unusedGpu'> {
    const { catalogue, variant } = this;
    return { variant, catalogue, folder: this.place.folder, rest: this.rest() };
  }

  /** What has to be downloaded still. */
  rest(): readonly Download[] {
    const { addon, headers } = this.catalogue;
    if (this.isDone()) return [];
    return [...this.missingWheels(), addon, headers].filter((one) => !this.isDownloaded(one));
  }

  /** What has to be called for the rest. */
  tools(): ReadonlySet<'pip' | 'npm' | 'g++' | 'tar'> {
    const rest = this.rest();
    const isWheel = (one: Download) => this.catalogue.wheels.includes(one);
    return new Set([
      ...(rest.some(isWheel) ? (['pip'] as const) : []),
      ...(rest.every(isWheel) ? [] : (['npm'] as const)),
      ...(['g++', 'tar'] as const),
    ]);
  }

  /** By its size only. */
  private isDownloaded({ file, bytes }: Download): boolean {
    const found = path.join(downloadsFolder(this.place.folder), file);
    return fs.statSync(found, { throwIfNoEntry: false })?.size === bytes;
  }

  async finish(): Promise<void> {
    const { folder, say } = this.place;
    fs.mkdirSync(folder, { recursive: true });
    const unlock = lockFolder(folder);
    try {
      clearLeftovers(folder);
      const wheels = this.missingWheels();
      for (const [index, wheel] of wheels.entries()) {
        const { name, version, bytes } = wheel;
        say(`${index + 1}/${wheels.length}  ${name} ${version} (${formatSize(bytes)})`);
        await this.unpack(wheel, await fetchWheel(wheel, this.place));
      }
      if (this.record.addon === undefined) await this.build();
      fs.rmSync(downloadsFolder(folder), { recursive: true, force: true });
    } finally {
      unlock();
    }
  }

  private async unpack({ file, sha256 }: Download, wheel: string): Promise<void> {
    const { unpackWheel } = await import('./unpack.ts');
    const files = await unpackWheel(wheel, this.place.folder);
    // The addon belongs to the library that it was built against.
    const { addon: _, ...record } = this.record;
    this.write({ ...record, packages: { ...record.packages, [file]: { sha256, files } } });
    fs.rmSync(wheel);
  }

  private async build(): Promise<void> {
    const { folder, say, env } = this.place;
    const { addon, headers } = this.catalogue;
    say(`building the addon of ${addon.name} ${addon.version}`);
    const sources = {
      addon: await fetchPackage(addon, this.place),
      headers: await fetchPackage(headers, this.place),
    };
    await buildAddon(folder, sources, env);
    const file = path.join(folder, addonFile);
    const built = { version: addon.version, bytes: fs.statSync(file).size, sha256: await digestOf(file) };
    this.write({ ...this.record, addon: built });
  }

  private missingWheels(): readonly Download[] {
    return this.catalogue.wheels.filter(({ file }) => !(file in this.record.packages));
  }

  /**
   * Before anything is written. A wheel is smaller than what is unpacked of it, so one of them is all that has to have
   * room beside.
   *
   * @throws ProvisionError
   */
  checkSpace(): void {
    const { folder } = this.place;
    const { wheels, unpacked } = this.catalogue;
    const missing = this.missingWheels();
    const share = wheels.length === 0 ? 0 : sumOf(missing) / sumOf(wheels);
    const needed = unpacked * share + largest(missing.filter((one) => !this.isDownloaded(one)));
    const { bavail, bsize } = fs.statfsSync(existing(folder));
    if (bavail * bsize >= needed) return;
    throw new ProvisionError(
      `${folder} needs ${formatSize(needed)}, and ${formatSize(bavail * bsize)} are free\n  ${fullDiskRemedy}`,
      'lacking',
    );
  }

  /** Without the packages and the addon whose files aren't as they were. */
  private keepSound(record: LibraryRecord): LibraryRecord {
    const { folder } = this.place;
    const sound = (one: UnpackedPackage) => wrongFile(folder, Object.entries(one.files)) === undefined;
    const { addon, ...rest } = record;
    const packages = Object.fromEntries(Object.entries(record.packages).filter(([, one]) => sound(one)));
    const isSound = addon !== undefined && wrongFile(folder, [[addonFile, addon.bytes]]) === undefined;
    return { ...rest, packages, ...(isSound ? { addon } : {}) };
  }

  private write(record: LibraryRecord): void {
    const file = path.join(this.place.folder, recordFile);
    fs.writeFileSync(`${file}.part`, `${JSON.stringify(record, null, 2)}\n`);
    fs.renameSync(`${file}.part`, file);
    this.record = record;
  }
}

/** Libraries of both kinds in one folder would be neither. */
function otherVariant(folder: string, found: Variant): string {
  const [kind, remedy] = found === 'gpu' ? ['GPUs', 'add --gpu'] : ['CPUs', 'leave out --gpu'];
  return `${folder} has the library for ${kind}: ${remedy}, or set PECO_TENSORFLOW to another folder`;
}

/** The folder, or the nearest one above it that is there. */
function existing(folder: string): string {
  return fs.existsSync(folder) ? folder : existing(path.dirname(folder));
}

const elsewhere = 'set PECO_TENSORFLOW to a folder that you may write';

/** What a failed access to a file means for the user; other errors as they are. */
function explainFileError(error: unknown, folder: string): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (isFullDisk(code))
    return new ProvisionError(`the disk of ${folder} is full\n  ${fullDiskRemedy}`, 'lacking');
  // ENOENT: what Node makes of a folder that can't be made on a disk that is read only.
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENOENT'].includes(code)) return error;
  return new ProvisionError(`can't write into ${folder}: ${message}\n  ${elsewhere}`, 'lacking');
}
