import type { Json, JsonObject } from './json.ts';

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

/** sha256 (hex) of a fingerprint that names upstream stages by their input keys: known before anything runs. */
export type InputKey = Brand<'InputKey'>;
/** sha256 (hex) of a fingerprint that names upstream stages by the digests of their outputs: names an entry. */
export type ContentKey = Brand<'ContentKey'>;
/** sha256 (hex) of bytes: a file, or the manifest lines of an entry's outputs. */
export type Digest = Brand<'Digest'>;

/** Everything that a stage's key is made of; stored beside the entry, so that "why" is a field-by-field diff. */
export interface Fingerprint {
  readonly schema: number;
  readonly kind: string;
  /** Of the component, if it says one. */
  readonly version?: number;
  /** As it counts in keys: without what `added` leaves out. */
  readonly config: JsonObject;
  readonly seed: number;
  /** Document `{ code: { file: digest of its normalised text }, packages: { name: version } }` of the run module. */
  readonly code: Digest;
  /** A rung of successive halving: trains up to this step and no further. */
  readonly until?: number;
  /** Digests of the component's own `files`, if it has any; of a folder, that of its manifest, a document. */
  readonly files?: { readonly [name: string]: Digest };
  /** Input name -> what it is: digests of outputs or files, and of the code that loads it. */
  readonly inputs: { readonly [name: string]: Json };
}
