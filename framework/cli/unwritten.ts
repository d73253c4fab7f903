let isUnwritten = false;

/** True for the errors of writing to a reader that has gone: a closed pipe, a closed terminal. */
export function isReaderGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'EIO';
}

/** From now on what could not be printed is noted; a reader that has gone away (`| head`) wants no more. */
export function noteUnwritten(): void {
  isUnwritten = false;
  for (const stream of [process.stdout, process.stderr]) stream.off('error', note).on('error', note);
}

/** Whether what this process printed is incomplete, as in a file on a full disk. */
export function hasUnwritten(): boolean {
  return isUnwritten;
}

/** The command goes on, since a run stores its results elsewhere; that what it printed is incomplete is said once. */
function note(this: NodeJS.WriteStream, error: NodeJS.ErrnoException): void {
  if (isReaderGone(error) || isUnwritten || this !== process.stdout) return;
  isUnwritten = true;
  // It may come after the command has ended, and has given its exit code.
  process.exitCode = 1;
  process.stderr.write(
    `what this command prints can't be written: ${error.message}\n  free some space, or send it elsewhere\n`,
  );
}
