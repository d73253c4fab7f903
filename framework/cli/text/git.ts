import type { Json } from '../../stage/json.ts';
import { formatGit } from './format.ts';

const mostShown = 5;

/** `908be18a31c4 with changes`, then a line for each kind of files that are not in that commit. */
export function formatGitTree(git: Json | undefined, options: { readonly verbose: boolean }): string[] {
  if (typeof git !== 'object' || git === null || Array.isArray(git)) return [];
  const { commit, dirty, changed, untracked, others, unnamed } = git as { readonly [name: string]: Json };
  const most = options.verbose ? Number.POSITIVE_INFINITY : mostShown;
  return [
    `git ${formatGit({ commit: String(commit), dirty: dirty === true })}`,
    ...formatNames('changed', namesIn(changed), most),
    ...formatNames('not in git', namesIn(untracked), most),
    ...(typeof unnamed === 'number' ? [`  and ${unnamed} more that are not named`] : []),
    ...Object.entries(typeof others === 'object' && !Array.isArray(others) ? (others ?? {}) : {}).map(
      ([folder, at]) => `  ${showName(folder)} at ${String(at).slice(0, 12)}`,
    ),
  ];
}

function formatNames(title: string, names: readonly string[], most: number): string[] {
  if (names.length === 0) return [];
  const more = names.length > most ? ` and ${names.length - most} more (--verbose)` : '';
  return [`  ${title}: ${names.slice(0, most).map(showName).join(', ')}${more}`];
}

/** In quotes where it could be taken for several, or spoil the line. */
function showName(name: string): string {
  return /[\p{Cc}\p{Cf}\s,"]/u.test(name) ? JSON.stringify(name) : name;
}

function namesIn(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
