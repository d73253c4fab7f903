/**
 * What is directly in a folder: its files with size in bytes and sha256, and the folders in it with the digests of their
 * manifests. Empty folders don't count. The digest of a manifest is that of its canonical JSON.
 */
export interface FolderManifest {
  readonly format: 2;
  readonly files: { readonly [name: string]: readonly [size: number, sha256: string] };
  readonly folders: { readonly [name: string]: string };
}

type Files = Iterable<readonly [name: string, size: number, sha256: string]>;
type Folders = Iterable<readonly [name: string, digest: string]>;

export function manifestOf(files: Files, folders: Folders): FolderManifest {
  const entries = Array.from(files, ([name, ...rest]) => [name, rest] as const);
  return { format: 2, files: Object.fromEntries(entries), folders: Object.fromEntries(folders) };
}

/** Its canonical JSON (stage/canonical.ts), which for a million files is written faster than made of an object. */
export function textOf(files: Files, folders: Folders): string {
  const own = Array.from(files, ([name, size, sha256]) => `${JSON.stringify(name)}:[${size},"${sha256}"]`);
  const inside = Array.from(folders, ([name, digest]) => `${JSON.stringify(name)}:"${digest}"`);
  return `{"files":{${own.join(',')}},"folders":{${inside.join(',')}},"format":2}`;
}
