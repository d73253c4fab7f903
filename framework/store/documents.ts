import fs from 'node:fs';
import path from 'node:path';
import { besideName } from '../files/disposable.ts';
import { digestJson } from '../stage/canonical.ts';
import type { Json } from '../stage/json.ts';
import type { Digest } from '../stage/keys.ts';

/** A document, or what makes it: manifests of large folders are made when they are asked for. */
export type Document = Json | (() => Json);

/** What a digest stands for, of documents that aren't stored yet. */
export function documentIn(documents: ReadonlyMap<string, Document>, digest: string): Json | undefined {
  const document = documents.get(digest);
  return typeof document === 'function' ? document() : document;
}

/**
 * What the digests in a fingerprint were made of: lists of code files, descriptions of inputs, manifests of data. They are
 * not synced: a missing one shortens an answer of `why`.
 */
export interface Documents {
  read(digest: string): Json | undefined;
  /** Keeps those that aren't kept yet. */
  save(documents: ReadonlyMap<string, Document>): void;
}

export function openDocuments(dir: string): Documents {
  const saved = new Set<string>();
  const fileOf = (digest: string) => path.join(dir, `${digest}.json`);

  function write(digest: string, document: Document): void {
    const file = fileOf(digest);
    if (saved.has(digest) || fs.existsSync(file)) return;
    const temporary = besideName(file);
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(temporary, JSON.stringify(typeof document === 'function' ? document() : document));
    fs.renameSync(temporary, file);
  }

  return {
    read(digest) {
      try {
        const document = JSON.parse(fs.readFileSync(fileOf(digest), 'utf8')) as Json;
        return digestJson(document) === digest ? document : undefined;
      } catch {
        return undefined;
      }
    },
    save(documents) {
      for (const [digest, document] of documents) {
        try {
          write(digest as Digest, document);
          saved.add(digest);
        } catch {
          // A full disk fails the commit that follows, with a message of its own.
        }
      }
    },
  };
}
