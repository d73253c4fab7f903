import { PickleError, type PickleValue, type Storage } from './values.ts';

/** What a file of `torch.save` holds. */
export interface TorchFile {
  readonly root: PickleValue;
  /** All bytes of the storage of a key, whatever view of it is asked for. */
  readStorage(storage: Storage): Promise<Buffer>;
}

export function textOfKey(key: PickleValue | undefined): string {
  if (typeof key === 'string' && key.length <= 100) return key;
  if (typeof key === 'number') return String(key);
  throw new PickleError('its pickle refers to a storage without a name');
}
