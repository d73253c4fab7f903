import type { FolderManifest } from '../files/folders.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { Fingerprint } from '../stage/keys.ts';
import { own } from '../stage/own.ts';

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
  // Of a tokenizer the seed is in the config, too.
  const isSeed = ({ type, input, path, ...seed }: Difference) =>
    type === 'config' &&
    input === undefined &&
    path === 'seed' &&
    seed.before === before.seed &&
    seed.after === after.seed;
  const rest = ({ schema, until }: Fingerprint): Values => ({ 'key schema': schema, until });
  return [
    ...compareSubjects(before, after, { read }).filter((one) => !isSeed(one)),
    ...compareValues('seed', { seed: before.seed }, { seed: after.seed }),
    ...compareValues('other', rest(before), rest(after)),
  ];
}

/** What a fingerprint says of its stage, or a description of one of the inputs. */
interface Subject {
  readonly kind: string;
  readonly version?: number;
  readonly config: JsonObject;
  readonly outputs?: Json;
  readonly code?: string;
  readonly load?: string;
  readonly files?: { readonly [name: string]: string };
  /** In full, or by the digest of the description. */
  readonly inputs?: { readonly [name: string]: Json };
}

interface CodeRecord {
  readonly entry?: string;
  readonly code: { readonly [file: string]: string };
  readonly aliases?: { readonly [name: string]: string };
  readonly settings?: { readonly [file: string]: JsonObject };
  readonly packages: { readonly [name: string]: string };
}

interface Place {
  readonly read: ReadDocument;
  readonly input?: string;
}

type Values = { readonly [path: string]: Json | undefined };

function compareSubjects(before: Subject, after: Subject, place: Place): Difference[] {
  const { input } = place;
  const kind = compareValues('kind', { kind: before.kind }, { kind: after.kind }, input);
  if (kind.length > 0) return kind; // another thing altogether
  const version = compareValues(
    'other',
    { version: before.version ?? 1 },
    { version: after.version ?? 1 },
    input,
  );
  const outputs = compareValues('upstream', { outputs: before.outputs }, { outputs: after.outputs }, input);
  if (outputs.length > 0) return [...version, ...outputs];
  return [
    ...version,
    ...compareValues('config', flatten(before.config), flatten(after.config), input),
    ...compareCode(before.code ?? before.load, after.code ?? after.load, place),
    ...compareFiles(before.files ?? {}, after.files ?? {}, place),
    ...compareInputs(before.inputs ?? {}, after.inputs ?? {}, place),
  ];
}

function compareCode(before: string | undefined, after: string | undefined, place: Place): Difference[] {
  const { read, input } = place;
  if (before === after) return [];
  const [a, b] = [before, after].map(
    (digest) => (digest === undefined ? undefined : read(digest)) as CodeRecord | undefined,
  );
  if (!a || !b) return compareValues('code', { 'all of it': before }, { 'all of it': after }, input);
  const files = compareValues('code', a.code, b.code, input);
  // Where the text of a file changed, its imports are no news.
  const changed = new Set(files.map(({ path }) => path));
  const aliases = compareValues('code', a.aliases ?? {}, b.aliases ?? {}, input);
  return [
    ...files,
    ...compareValues('code', { module: a.entry }, { module: b.entry }, input),
    ...aliases.filter(({ path }) => !changed.has(importerIn(path))),
    ...compareValues('code', a.settings ?? {}, b.settings ?? {}, input),
    ...compareValues('package', a.packages, b.packages, input),
  ];
}

/** Of an alias such as `#loss in parts/stage.ts`. */
function importerIn(alias: string): string {
  return alias.slice(alias.lastIndexOf(' in ') + ' in '.length);
}

type Digests = { readonly [name: string]: string };

function compareFiles(before: Digests, after: Digests, place: Place): Difference[] {
  return namesOf(before, after).flatMap((name) => {
    const [a, b] = [own(before, name), own(after, name)];
    return a === b ? [] : compareFolders(name, a, b, place);
  });
}

/** The files in which two folders differ, by their manifests; the whole where one of them isn't known, or is a file. */
function compareFolders(
  at: string,
  before: string | undefined,
  after: string | undefined,
  place: Place,
): Difference[] {
  const [old, now] = [before, after].map((digest) => manifestIn(digest, place));
  if (!old || !now) return compareValues('data', { [at]: before }, { [at]: after }, place.input);
  const below = namesOf(old.folders, now.folders)
    .map((name) => [name, own(old.folders, name), own(now.folders, name)] as const)
    .filter(([, a, b]) => a !== b)
    .flatMap(([name, a, b]) => compareFolders(`${at}/${name}`, a ?? nothing, b ?? nothing, place));
  return [...compareValues('data', filesIn(at, old), filesIn(at, now), place.input), ...below];
}

/** Stands for a folder that isn't there. */
const nothing = '';

function manifestIn(digest: string | undefined, { read }: Place): FolderManifest | undefined {
  if (digest === nothing) return { format: 2, files: {}, folders: {} };
  const document = digest === undefined ? undefined : (read(digest) as FolderManifest | undefined);
  return document?.format === 2 ? document : undefined;
}

function filesIn(at: string, { files }: FolderManifest): Values {
  return Object.fromEntries(Object.entries(files).map(([name, one]) => [`${at}/${name}`, one as never]));
}

function compareInputs(before: JsonObject, after: JsonObject, { read, input }: Place): Difference[] {
  const open = (one: Json) => (typeof one === 'string' ? read(one) : one) as Subject | undefined;
  return namesOf(before, after).flatMap((name) => {
    const inner = input === undefined ? name : `${input}.${name}`;
    const [a, b] = [own(before, name), own(after, name)];
    if (a === b) return [];
    if (a === undefined || b === undefined)
      return compareValues('kind', { input: kindOf(a) }, { input: kindOf(b) }, inner);
    const [from, to] = [open(a), open(b)];
    if (from && to) return compareSubjects(from, to, { read, input: inner });
    return compareValues('other', { description: a }, { description: b }, inner);
  });
}

function kindOf(input: Json | undefined): Json | undefined {
  return typeof input === 'object' ? (input as JsonObject | null)?.kind : input;
}

/** Paths at which two sides have other values, in the order of the paths. */
function compareValues(
  type: Difference['type'],
  before: Values,
  after: Values,
  input?: string,
): Difference[] {
  return namesOf(before, after)
    .map((path) => ({ path, before: own(before, path), after: own(after, path) }))
    .filter((values) => JSON.stringify(values.before) !== JSON.stringify(values.after))
    .map((values) => ({ type, ...(input === undefined ? {} : { input }), ...values }));
}

function namesOf(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

/** Leaves by path; lists are values, since their places mean little. */
function flatten(value: JsonObject, path = ''): Values {
  const flat: { [path: string]: Json | undefined } = {};
  for (const [key, item] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    const isGroup = typeof item === 'object' && item !== null && !Array.isArray(item);
    if (isGroup && Object.keys(item).length > 0) Object.assign(flat, flatten(item as JsonObject, at));
    else flat[at] = item;
  }
  return flat;
}
