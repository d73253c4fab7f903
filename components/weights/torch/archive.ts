import type { FileHandle } from 'node:fs/promises';
import { TYPE_SIZES } from '../raw.ts';
import { nameOf } from './names.ts';
import { unpickle } from './pickle.ts';
import { type TorchFile, textOfKey } from './torch-file.ts';
import { Named, PickleError, type PickleValue, Storage, StorageType, Tuple } from './values.ts';
import { openZip, type Zip, ZipError } from './zip.ts';

const MOST_PICKLED = 1 << 26; // bytes; that of a ViT-L with its optimiser has half a million

/**
 * The format of `torch.save` since PyTorch 1.6: a zip archive of one folder with the pickle `data.pkl` and a file
 * `data/<key>` for each storage, stored without compression (pytorch/pytorch, torch/serialization.py, `_save`).
 *
 * @throws PickleError, ZipError
 */
export async function openArchive(handle: FileHandle): Promise<TorchFile> {
  const zip = await openZip(handle);
  const folder = findFolder(zip);
  await checkByteOrder(zip, folder);
  const pickle = zip.entries.get(`${folder}data.pkl`)!;
  if (pickle.uncompressedSize > MOST_PICKLED)
    throw new PickleError(`has a pickle of ${pickle.uncompressedSize} bytes: that is no file of weights`);
  const host = { name: nameOf, persistent: (id: PickleValue) => storageOf(id, zip, folder) };
  const { value: root } = unpickle(await zip.read(pickle), 0, host);
  return { root, readStorage: ({ key }) => zip.read(zip.entries.get(`${folder}data/${key}`)!) };
}

function findFolder({ entries }: Zip): string {
  const found = [...entries.keys()].flatMap((name) => /^([^/]+\/)data\.pkl$/.exec(name)?.[1] ?? []);
  if (found.length !== 1)
    throw new PickleError(
      'is a zip archive, but not one of torch.save: it has no data.pkl in its one folder',
    );
  const [folder] = found;
  if (entries.has(`${folder}constants.pkl`))
    throw new PickleError(
      'is a TorchScript program: save the tensors alone, torch.save(model.state_dict(), file)',
    );
  return folder;
}

async function checkByteOrder({ entries, read }: Zip, folder: string): Promise<void> {
  const entry = entries.get(`${folder}byteorder`);
  if (!entry || entry.uncompressedSize > 16) return;
  const order = (await read(entry)).toString('latin1');
  if (order !== 'little')
    throw new PickleError(`has numbers in the byte order ${JSON.stringify(order)}, not little`);
}

/** ('storage', type, key, device, elements) */
function storageOf(id: PickleValue, zip: Zip, folder: string): Storage {
  const [what, type, name, , count] = id instanceof Tuple ? id.items : [];
  if (what !== 'storage' || !(type instanceof StorageType) || typeof count !== 'number') {
    const named = type instanceof Named ? ` of ${type.name}` : '';
    throw new PickleError(`its pickle refers to something else than a storage${named}`);
  }
  const key = textOfKey(name);
  const entry = zip.entries.get(`${folder}data/${key}`);
  if (!entry) throw new ZipError(`lacks the storage ${JSON.stringify(key)}`);
  const size = count * TYPE_SIZES[type.type];
  if (entry.uncompressedSize !== size)
    throw new ZipError(
      `has the storage ${JSON.stringify(key)} of ${entry.uncompressedSize} bytes, not ${size}`,
    );
  return new Storage(key, type.type, count);
}
