import { type FileHandle, open } from 'node:fs/promises';
import { StageError } from '../../framework/stage/stage-error.ts';
import { refuseOthers } from './other-formats.ts';
import type { RawTensor } from './raw.ts';
import { readRange } from './read-range.ts';
import { headerSize, parseHeader } from './safetensors-header.ts';
import type { TensorFacts, TensorFile } from './tensors.ts';
import { openArchive } from './torch/archive.ts';
import { gather } from './torch/gather.ts';
import { isLegacy, openLegacy } from './torch/legacy.ts';
import { tensorsOf } from './torch/state.ts';
import type { TorchFile } from './torch/torch-file.ts';

const HEAD = 512; // bytes: enough to tell the formats apart

/**
 * Opens a file of weights that was made elsewhere: safetensors, or what `torch.save` writes (since PyTorch 1.6 a zip
 * archive, before that a row of pickles). Which of them is seen by its first bytes, not by its name. Nothing of a pickle
 * is executed, see `torch/pickle.ts`. Of a large file only the tensors that are asked for are read.
 *
 * @throws StageError that names the file: it can't be read, is of another format, is damaged, or its pickle names what no
 * weights are made of
 */
export async function openWeights(file: string): Promise<TensorFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    return await openFormat(handle, file);
  } catch (error) {
    await handle?.close();
    throw explain(error, file);
  }
}

async function openFormat(handle: FileHandle, file: string): Promise<TensorFile> {
  const { size } = await handle.stat();
  const head = await readRange(handle, 0, Math.min(HEAD, size));
  if (head.subarray(0, 4).equals(ZIP_START)) return torchTensors(handle, file, await openArchive(handle));
  if (isLegacy(head)) return torchTensors(handle, file, await openLegacy(handle, size));
  refuseOthers(head);
  return openSafetensors(handle, file, head, size);
}

const ZIP_START = Buffer.from('PK\u0003\u0004', 'latin1');

async function openSafetensors(
  handle: FileHandle,
  file: string,
  head: Buffer,
  size: number,
): Promise<TensorFile> {
  const length = headerSize(head.subarray(0, 8), size, file);
  const header = parseHeader(await readRange(handle, 0, length), size, file);
  const entries = new Map(header.entries.map((entry) => [entry.name, entry]));
  const read = async (name: string): Promise<RawTensor> => {
    const { type, shape, begin, end } = find(entries, name);
    return { type, shape, bytes: await readRange(handle, length + begin, end - begin) };
  };
  return tensorFile(handle, file, entries, read);
}

/** Tensors that share a storage are mostly neighbours: the last storage is kept. */
function torchTensors(handle: FileHandle, file: string, { root, readStorage }: TorchFile): TensorFile {
  const stored = tensorsOf(root);
  let last: { readonly key: string; readonly bytes: Promise<Buffer> } | undefined;
  const facts = new Map(
    [...stored].map(([name, { storage, shape }]) => [name, { type: storage.type, shape }] as const),
  );
  const read = async (name: string): Promise<RawTensor> => {
    const tensor = find(stored, name);
    const { key } = tensor.storage;
    if (last?.key !== key) last = { key, bytes: readStorage(tensor.storage) };
    return gather(tensor, await last.bytes);
  };
  return tensorFile(handle, file, facts, read);
}

function tensorFile(
  handle: FileHandle,
  file: string,
  tensors: ReadonlyMap<string, TensorFacts>,
  read: (name: string) => Promise<RawTensor>,
): TensorFile {
  return {
    file,
    tensors,
    async read(name) {
      try {
        return await read(name);
      } catch (error) {
        throw error instanceof UnknownTensor ? error : explain(error, file);
      }
    },
    close: () => handle.close(),
  };
}

class UnknownTensor extends RangeError {}

function find<T>(tensors: ReadonlyMap<string, T>, name: string): T {
  const found = tensors.get(name);
  if (found === undefined) throw new UnknownTensor(`there is no tensor "${name}"`);
  return found;
}

/** By the name of the error. */
const HINTS: { readonly [name: string]: string } = {
  PickleError: 'in Python, save the tensors alone: torch.save(model.state_dict(), file), or with safetensors',
  ZipError: 'if it is a download that broke off, fetch it again; else save it again with torch.save',
};

/** Every failure as one that names the file. */
function explain(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || error instanceof StageError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z]+$/.test(code))
    return new StageError(`${file}: can't be read (${code})`, { cause: error });
  const hint = HINTS[error.name];
  return new StageError(`${file}: ${error.message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
