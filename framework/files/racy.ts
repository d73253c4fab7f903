// Imports nothing: the quick path of the command line uses it.

const racyMilliseconds = 50;
// Times without fractions are of a file system that counts seconds, or two (FAT).
const racyMillisecondsOfSeconds = 2_050;

/**
 * When a file with a time of change is old enough to be believed, in milliseconds since 1970. A file that was looked
 * at earlier may be written again within the same tick of the file system's clock, with the same stat ("racy clean",
 * as in git).
 *
 * @param timeMs of modification or change, in milliseconds since 1970
 */
export function settledAt(timeMs: number): number {
  return timeMs + (timeMs % 1000 === 0 ? racyMillisecondsOfSeconds : racyMilliseconds);
}

/** True if what was seen at a moment (milliseconds since 1970) can't have changed since with the same stat. */
export function isClean({ mtimeMs, ctimeMs }: { mtimeMs: number; ctimeMs: number }, at: number): boolean {
  return settledAt(mtimeMs) < at && settledAt(ctimeMs) < at;
}
