import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { random } from '../../../../../components/nn/random.ts';
import { openWeights } from '../../../../../components/weights/open.ts';
import { openZip } from '../../../../../components/weights/torch/zip.ts';
import { StageError } from '../../../../../framework/stage/stage-error.ts';
import { type ZipEntry, zipOf } from './zip.ts';

const fixtures = fileURLToPath(new URL('../../../../fixtures/', import.meta.url));
const seeds = [
  ...['kinds.pth', 'kinds-old.pth', 'checkpoint-state_dict.pth', 'checkpoint-model.pth', 'dall-e.pkl'].map(
    (name) => path.join(fixtures, 'torch', name),
  ),
  path.join(fixtures, 'safetensors', 'names.safetensors'),
].map((file) => fs.readFileSync(file));

/** The archives among them by their entries, so that a changed pickle can be packed with the right checksum. */
const archives = await Promise.all(
  seeds.filter((bytes) => bytes.subarray(0, 2).toString() === 'PK').map((bytes) => entriesOf(bytes)),
);

async function entriesOf(bytes: Buffer): Promise<readonly ZipEntry[]> {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'peco-archive-'));
  const file = path.join(folder, 'x.zip');
  fs.writeFileSync(file, bytes);
  const handle = await open(file);
  try {
    const zip = await openZip(handle);
    const entries: ZipEntry[] = [];
    for (const [name, entry] of zip.entries) entries.push({ name, bytes: await zip.read(entry) });
    return entries;
  } finally {
    await handle.close();
    fs.rmSync(folder, { recursive: true });
  }
}

/** Names of Python and operations that do something, so that not all mutations end in the first check. */
const words = [
  'cos\nsystem\n',
  'cbuiltins\neval\n',
  '\x93',
  'R',
  '\x81',
  'b',
  'Q',
  '\x85R',
  'h\x00',
  '\xff\xff\xff\xff',
  '\x00',
];

/** A sound file with some bytes changed, moved, removed or put in. */
export function mutation(index: number): Buffer {
  const draw = random(20261126, 'mutation', index);
  if (draw.int(3) === 0) return changedPickle(archives[draw.int(archives.length)], draw);
  let bytes: Buffer = Buffer.from(seeds[draw.int(seeds.length)]);
  for (let change = draw.int(4); change >= 0; change--) bytes = mutate(bytes, draw);
  return bytes;
}

function changedPickle(entries: readonly ZipEntry[], draw: ReturnType<typeof random>): Buffer {
  return zipOf(
    entries.map((entry) =>
      entry.name.endsWith('.pkl') ? { ...entry, bytes: mutate(Buffer.from(entry.bytes), draw) } : entry,
    ),
  );
}

function mutate(bytes: Buffer, draw: ReturnType<typeof random>): Buffer {
  const at = draw.int(bytes.length + 1);
  const end = Math.min(bytes.length, at + draw.int(32));
  switch (draw.int(6)) {
    case 0: {
      const changed = Buffer.from(bytes);
      if (at < changed.length) changed[at] = draw.int(256);
      return changed;
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return bytes.subarray(0, Math.max(1, at));
    case 3:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(words[draw.int(words.length)], 'latin1'),
        bytes.subarray(at),
      ]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(at)]);
    default: {
      const word = Buffer.from(words[draw.int(words.length)], 'latin1');
      return Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at + word.length)]);
    }
  }
}

/**
 * Reads all tensors of a file: `read`, or the message of the one error that it is refused with.
 *
 * @throws whatever is no StageError with the file's name
 */
export async function readOrRefuse(file: string): Promise<string> {
  try {
    const opened = await openWeights(file);
    try {
      for (const name of opened.tensors.keys()) await opened.read(name);
    } finally {
      await opened.close();
    }
    return 'read';
  } catch (error) {
    if (error instanceof StageError && error.message.startsWith(`${file}: `)) return error.message;
    throw error;
  }
}

/** How many of the mutations from one number to another are still read. */
export async function countRead(file: string, from: number, to: number): Promise<number> {
  let read = 0;
  for (let index = from; index < to; index++) {
    fs.writeFileSync(file, mutation(index));
    if ((await readOrRefuse(file)) === 'read') read++;
  }
  return read;
}
