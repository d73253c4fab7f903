import type { FolderManifest } from '../files/folders.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { DefaultsDocument } from './fingerprint.ts';
import type { Fingerprint } from './types.ts';

/** A field in which two fingerprints differ. `undefined` stands for "not there". */
export interface Difference {
  readonly type: 'kind' | 'config' | 'seed' | 'code' | 'package' | 'data' | 'upstream' | 'other';
  /** Input that it concerns, if not the stage itself: `train`, `pretrained.tokenizer`. */
  readonly input?: string;
  /** Config path, code file, package, data file. */
  readonly path: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

export type ReadDocument = (digest: string) => Json | undefined;

/**
 * Everything in which two fingerprints differ, field by field. Where an input is another result than before, what that
 * was made from is not listed: `why` of the stage that made it tells.
 *
 * @param read what a digest stands for; where it doesn't know, the digest itself is the difference
 */
export function compareFingerprints(
  before: Fingerprint,
  after: Fingerprint,
  read: ReadDocument,
): Difference[] {
  const differences: Difference[] = [];
  compareSubject(asSubject(before), asSubject(after), undefined);
  if (before.seed !== after.seed) add('seed', undefined, 'seed', before.seed, after.seed);
  if (before.schema !== after.schema) add('other', undefined, 'key schema', before.schema, after.schema);
  if (before.until !== after.until) add('other', undefined, 'until', before.until, after.until);
  return differences;

  function add(
    type: Difference['type'],
    input: string | undefined,
    path: string,
    from?: Json,
    to?: Json,
  ): void {
    differences.push({ type, ...(input === undefined ? {} : { input }), path, before: from, after: to });
  }

  function compareSubject(from: Subject, to: Subject, input: string | undefined): void {
    if (from.kind !== to.kind) {
      add('kind', input, 'kind', from.kind, to.kind);
      return; // another thing altogether
    }
    if (from.version !== to.version) add('other', input, 'version', from.version ?? 1, to.version ?? 1);
    const isOther = input !== undefined && JSON.stringify(from.outputs) !== JSON.stringify(to.outputs);
    if (isOther) {
      add('upstream', input, 'outputs', from.outputs, to.outputs);
      return;
    }
    compareRecords(fullConfig(from), fullConfig(to), (path, a, b) => {
      // Of a tokenizer it is in both places.
      const isSeed = input === undefined && path === 'seed' && a === before.seed && b === after.seed;
      if (!isSeed) add('config', input, path, a, b);
    });
    compareCode(from.code, to.code, input);
    compareFiles(from.files ?? {}, to.files ?? {}, input);
    for (const name of namesOf(from.inputs, to.inputs)) {
      const inner = input === undefined ? name : `${input}.${name}`;
      const [a, b] = [from.inputs[name], to.inputs[name]];
      if (a === undefined || b === undefined) add('kind', inner, 'input', kindOf(a), kindOf(b));
      else if (a.digest === undefined || a.digest !== b.digest || from.defaults !== to.defaults)
        compareInputs(a, b, inner);
    }
  }

  function compareInputs(a: InputRecord, b: InputRecord, input: string): void {
    const from = subjectOf(a);
    const to = subjectOf(b);
    if (from && to) compareSubject(from, to, input);
    else if (a.digest !== b.digest) add('other', input, 'description', a.digest, b.digest);
  }

  function compareCode(from: string | undefined, to: string | undefined, input: string | undefined): void {
    if (from === to) return;
    const [a, b] = [from, to].map((digest) =>
      digest === undefined ? undefined : (read(digest) as unknown as CodeRecord),
    );
    if (!a || !b) {
      add('code', input, 'all of it', from, to);
      return;
    }
    compareRecords(a.code, b.code, (file, old, now) => add('code', input, file, old, now));
    if (a.entry !== b.entry) add('code', input, 'module', a.entry, b.entry);
    // Where the text of a file changed, its imports are no news.
    const isNews = (name: string) => a.code[importerIn(name)] === b.code[importerIn(name)];
    compareRecords(a.aliases ?? {}, b.aliases ?? {}, (name, old, now) => {
      if (isNews(name)) add('code', input, name, old, now);
    });
    compareRecords(a.settings ?? {}, b.settings ?? {}, (file, old, now) =>
      add('code', input, file, old, now),
    );
    compareRecords(a.packages, b.packages, (name, old, now) => add('package', input, name, old, now));
  }

  function compareFiles(
    from: { readonly [name: string]: string },
    to: { readonly [name: string]: string },
    input: string | undefined,
  ): void {
    for (const name of namesOf(from, to)) {
      const [a, b] = [from[name], to[name]];
      if (a === b) continue;
      const [old, now] = [a, b].map((digest) =>
        digest === undefined ? undefined : (read(digest) as unknown as FolderManifest | undefined),
      );
      if (old?.files && now?.files)
        compareRecords(old.files as never, now.files as never, (file, x, y) =>
          add('data', input, `${name}/${file}`, x, y),
        );
      else add('data', input, name, a, b);
    }
  }

  /** Of a stage, or of one of its inputs. */
  function subjectOf({ own, digest, defaults }: InputRecord): Subject | undefined {
    const description = own ?? (digest === undefined ? undefined : (read(digest) as JsonObject | undefined));
    if (description === undefined) return undefined;
    const { load, inputs = {}, ...rest } = description as unknown as EdgeRecord;
    const nested =
      defaults === undefined ? undefined : (read(defaults) as unknown as DefaultsDocument | undefined);
    return {
      ...rest,
      ...(load === undefined ? {} : { code: load }),
      ...(defaults === undefined ? {} : { defaults }),
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([name, inner]) => [name, { digest: inner, ...defaultsOf(nested, name) }]),
      ),
    };
  }

  function asSubject(fingerprint: Fingerprint): Subject {
    const { kind, version, config, code, files, inputs, defaults } = fingerprint;
    const nested =
      defaults === undefined ? undefined : (read(defaults) as unknown as DefaultsDocument | undefined);
    return {
      kind,
      config,
      code,
      ...(version === undefined ? {} : { version }),
      ...(files === undefined ? {} : { files }),
      ...(defaults === undefined ? {} : { defaults }),
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([name, own]) => [
          name,
          { own: own as JsonObject, ...defaultsOf(nested, name) },
        ]),
      ),
    };
  }

  /** Fields by path, those that keys leave out included. */
  function fullConfig({ config, defaults }: Subject): { [path: string]: Json } {
    const left =
      defaults === undefined ? undefined : (read(defaults) as unknown as DefaultsDocument | undefined);
    const flat: { [path: string]: Json } = { ...left?.config };
    flatten(config, '', flat);
    return flat;
  }
}

interface Subject {
  readonly kind: string;
  readonly version?: number;
  readonly config: JsonObject;
  readonly outputs?: Json;
  readonly code?: string;
  readonly files?: { readonly [name: string]: string };
  readonly defaults?: string;
  readonly inputs: { readonly [name: string]: InputRecord };
}

/** An input as a fingerprint has it: in full, or by the digest of its description. */
interface InputRecord {
  readonly own?: JsonObject;
  readonly digest?: string;
  readonly defaults?: string;
}

interface EdgeRecord extends Omit<Subject, 'code' | 'inputs' | 'defaults'> {
  readonly load?: string;
  readonly inputs?: { readonly [name: string]: string };
}

interface CodeRecord {
  readonly entry?: string;
  readonly code: { readonly [file: string]: string };
  readonly aliases?: { readonly [name: string]: string };
  readonly settings?: { readonly [file: string]: JsonObject };
  readonly packages: { readonly [name: string]: string };
}

/** Of an alias such as `#loss in parts/stage.ts`. */
function importerIn(alias: string): string {
  return alias.slice(alias.lastIndexOf(' in ') + ' in '.length);
}

function defaultsOf(document: DefaultsDocument | undefined, name: string): { defaults?: string } {
  const digest = document?.inputs[name];
  return digest === undefined ? {} : { defaults: digest };
}

function kindOf(input: InputRecord | undefined): Json | undefined {
  return input === undefined ? undefined : ((input.own?.kind as string | undefined) ?? input.digest);
}

function compareRecords(
  before: { readonly [name: string]: Json },
  after: { readonly [name: string]: Json },
  differs: (name: string, before: Json | undefined, after: Json | undefined) => void,
): void {
  for (const name of namesOf(before, after)) {
    if (JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      differs(name, before[name], after[name]);
  }
}

function namesOf(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

/** Leaves by path; lists are values, since their places mean little. */
function flatten(value: Json, path: string, into: { [path: string]: Json }): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value);
    if (entries.length > 0 || path === '') {
      for (const [key, item] of entries) flatten(item, path === '' ? key : `${path}.${key}`, into);
      return;
    }
  }
  into[path] = value;
}
