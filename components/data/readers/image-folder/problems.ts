/** What is wrong with a folder of images, or with the files that go with it. */
export interface FolderProblem {
  /** The field of the config that names it. */
  readonly field: 'root' | 'labels' | 'synsets';
  readonly message: string;
  readonly hint?: string;
}

/** The most names in a message. */
const shown = 5;

/** `a, b, c and 7 more`; what is no letter or sign does nothing to a terminal. */
export function some(names: readonly string[]): string {
  const more = names.length - shown;
  const first = names
    .slice(0, shown)
    .join(', ')
    .replace(/\p{Cc}/gu, '?');
  return more > 0 ? `${first} and ${more.toLocaleString('en-US')} more` : first;
}

/** What the system said, in words. */
export function whyUnread(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EACCES' || code === 'EPERM') return `can't be read: permission denied (${code})`;
  return `can't be read (${code ?? (cause as Error).message})`;
}
