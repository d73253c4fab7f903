import type { Json } from '../stage/json.ts';
import type { Entry, Store } from '../store/types.ts';
import { type DefaultsDocument, keyOf } from './fingerprint.ts';
import type { ContentKey, Digest, Fingerprint } from './types.ts';

export interface FoundEntry {
  readonly contentKey: ContentKey;
  /** As it was given, or with the defaults that changed since the entry of its first key was made. */
  readonly fingerprint: Fingerprint;
  readonly entry?: Entry;
}

/** Stands in keys for a field that had a default and has none any more. */
const gone: Json = { absent: true };

type ReadStore = Pick<Store, 'lookup' | 'fingerprint' | 'documents' | 'notedDefaults' | 'noteDefaults'>;

/**
 * The stored result that a fingerprint names, if there is one.
 *
 * Keys leave out what equals the schema's defaults, so a default that got another value would find the result of the
 * old one. Therefore each entry says what it left out, and which fields were absent; where that contradicts the present,
 * the fields in question become part of the key. A field that the entry doesn't know is no contradiction: it was added
 * later. From then on its default is known too, for the day on which it changes.
 */
export async function findEntry(
  given: Fingerprint,
  current: ReadonlyMap<string, Json>,
  store: ReadStore,
): Promise<FoundEntry> {
  let fingerprint = given;
  for (;;) {
    const contentKey = keyOf(fingerprint) as ContentKey;
    const entry = await store.lookup(contentKey);
    if (!entry) return { contentKey, fingerprint };
    const stored = await store.fingerprint(contentKey);
    const known = [stored?.defaults, ...store.notedDefaults(contentKey)];
    // Most often: an entry that agrees with these very defaults, by what it says or by an earlier look.
    if (given.defaults === undefined || known.includes(given.defaults))
      return { contentKey, fingerprint, entry };
    const changed = contradictions(stored, known, given.defaults, current, store);
    if (Object.keys(changed).length === 0) {
      store.documents.save(defaultsOf(given.defaults, current));
      store.noteDefaults(contentKey, given.defaults);
      return { contentKey, fingerprint, entry };
    }
    const changedDefaults = { ...fingerprint.changedDefaults, ...changed };
    fingerprint = { ...given, changedDefaults };
    if (keyOf(fingerprint) === contentKey) return { contentKey, fingerprint }; // can't be: it was part of the key
  }
}

/** Fields by path that had another default then, with their present values. */
function contradictions(
  stored: Fingerprint | undefined,
  known: readonly (Digest | undefined)[],
  now: Digest,
  current: ReadonlyMap<string, Json>,
  store: ReadStore,
): { readonly [path: string]: Json } {
  const changed: { [path: string]: Json } = {};
  for (const [index, then] of known.entries()) compare(then, now, '', index === 0);
  const inKey = stored?.changedDefaults ?? {};
  return Object.fromEntries(Object.entries(changed).filter(([path]) => !(path in inKey)));

  /** `made`: what was left out when the entry was made, not what was found to agree with it later. */
  function compare(before: string | undefined, after: string, path: string, made: boolean): void {
    if (before === after) return;
    const old =
      before === undefined ? undefined : (store.documents.read(before) as DefaultsDocument | undefined);
    const present = current.get(after) as unknown as DefaultsDocument;
    if (old === undefined) {
      // What was left out isn't known: then all that is left out now decides.
      changed[`${path}defaults`] = after;
      return;
    }
    for (const [field, value] of Object.entries(present.config)) {
      const differs = field in old.config && JSON.stringify(old.config[field]) !== JSON.stringify(value);
      if (differs || wasAbsent(field, old)) changed[`${path}config.${field}`] = value;
    }
    // One that is gone from the schema, or has lost its default: the stage of then saw a value.
    for (const field of made ? Object.keys(old.config) : [])
      if (!(field in present.config)) changed[`${path}config.${field}`] = gone;
    for (const [name, digest] of Object.entries(present.inputs)) {
      if (name in old.inputs) compare(old.inputs[name], digest, `${path}inputs.${name}.`, made);
    }
  }
}

/** True if a field, or a group around it, is known not to have been there. */
function wasAbsent(field: string, { absent = [] }: DefaultsDocument): boolean {
  return absent.some((one) => field === one || field.startsWith(`${one}.`));
}

/** A document of defaults, and those of the inputs that it names. */
function defaultsOf(digest: string, current: ReadonlyMap<string, Json>): Map<string, Json> {
  const found = new Map<string, Json>();
  const visit = (one: string): void => {
    const document = current.get(one);
    if (document === undefined || found.has(one)) return;
    found.set(one, document);
    for (const input of Object.values((document as unknown as DefaultsDocument).inputs)) visit(input);
  };
  visit(digest);
  return found;
}
