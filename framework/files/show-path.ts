import path from 'node:path';

/** How a file is named to the user: relative where that is shorter. */
export function showPath(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative.startsWith('..') || path.isAbsolute(relative) ? file : relative;
}
