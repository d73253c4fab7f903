import fs from 'node:fs';

/** File systems whose times are of this machine's own clock, by the number that Linux gives them in `statfs`. */
const local = new Set([
  ...[0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0xca451a4e], // ext, XFS, Btrfs, ZFS, F2FS, bcachefs
  ...[0x01021994, 0x858458f6, 0x794c7630], // tmpfs, ramfs, overlayfs
  ...[0x4d44, 0x2011bab0, 0x73717368, 0x9660, 0x52654973, 0x3153464a, 0x7366746e], // FAT, exFAT, squashfs, ISO 9660, ReiserFS, JFS, NTFS
]);

/** What clocks of a cluster may differ, in milliseconds: MUNGE, and Kerberos on NFS, refuse more. */
export const usualSkew = 300_000;
/** What changed this recently may change again within a tick of the file system's clock (FAT: two seconds); milliseconds. */
const settling = 2_050;

/** Whether a place's times are by the clock of this machine; undefined where the system doesn't say. Throws what `node:fs` does. */
export function isLocal(place: string): boolean | undefined {
  return process.platform === 'linux' ? local.has(fs.statfsSync(place).type) : undefined;
}

/** When a file or folder was modified and changed, in milliseconds since 1970, by the clock of its file system. */
export interface Times {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/**
 * Whether what was seen of a file or folder is that of its stat for good: it had not changed for so long that it can't have
 * changed since with the same stat, whatever the clock of its file system says.
 *
 * @param at when it was looked at, or earlier: by our clock, in milliseconds since 1970
 */
export function isSettled(
  place: string,
  { mtimeMs, ctimeMs }: Times,
  at: number,
  isOurs: (place: string) => boolean | undefined = isLocal,
): boolean {
  try {
    return Math.max(mtimeMs, ctimeMs) + settling + (isOurs(place) === false ? usualSkew : 0) < at;
  } catch {
    return false; // gone
  }
}
