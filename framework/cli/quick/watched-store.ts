import path from 'node:path';
import { folderMemoryFile } from '../../files/folders.ts';
import { markerFile } from '../../store/marker.ts';
import type { Store } from '../../store/types.ts';
import type { Ledger } from './ledger.ts';

/**
 * The same store; what its answers come from is entered in a ledger. Every method is written out, so that a new one
 * doesn't compile before it is said here what it looks at.
 */
export function watchStore(store: Store, ledger: Ledger): Store {
  ledger.look(path.join(store.dir, markerFile));
  const entryFile = (key: string, name: string) => path.join(store.dir, 'entries', key, name);
  return {
    dir: store.dir,
    async lookup(key) {
      ledger.look(entryFile(key, 'manifest.json'));
      const entry = await store.lookup(key);
      for (const output of entry?.outputs ?? [])
        ledger.found(path.join(store.dir, 'entries', key, 'outputs', output.path));
      return entry;
    },
    fingerprint(key) {
      ledger.look(entryFile(key, 'fingerprint.json'));
      return store.fingerprint(key);
    },
    documents: {
      read(digest) {
        ledger.look(path.join(store.dir, 'documents', `${digest}.json`));
        return store.documents.read(digest);
      },
      save: (documents) => store.documents.save(documents),
    },
    async digestPath(target, sweep) {
      const found = await store.digestPath(target, sweep);
      ledger.found(target);
      if (found.manifests !== undefined) {
        const memory = folderMemoryFile(path.join(store.dir, 'cache'), target);
        ledger.folder({ folder: target, memory, digest: found.digest });
      }
      return found;
    },
    digestFile(file) {
      ledger.look(file);
      return store.digestFile(file);
    },
    // What is stored beside what was asked for can't be compared: plans ask for it only where something will run.
    keys() {
      ledger.spoil();
      return store.keys();
    },
    entries() {
      ledger.spoil();
      return store.entries();
    },
    // These answer nothing that is there already.
    commit: (key, commit) => store.commit(key, commit),
    workDir: (key) => store.workDir(key),
    clearWork: (key) => store.clearWork(key),
    newOutDir: () => store.newOutDir(),
    lock: (key, options) => store.lock(key, options),
    enter: () => store.enter(),
    collect: (options) => store.collect(options),
    flush: () => store.flush(),
  };
}
