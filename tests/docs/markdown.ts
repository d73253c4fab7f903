import fs from 'node:fs';
import path from 'node:path';
import { repository } from '../support/project.ts';

/** A page of the documentation. */
export interface Page {
  /** Relative to the repository, with slashes. */
  readonly name: string;
  readonly text: string;
}

const folders = ['docs', 'framework', 'components', 'experiments', 'reports'];

/** Every markdown file at the root and in the folders above, sorted. */
export function readPages(): readonly Page[] {
  const below = folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(repository, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => path.posix.join(folder, name.split(path.sep).join('/'))),
  );
  return [...fs.readdirSync(repository), ...below]
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => ({ name, text: fs.readFileSync(path.join(repository, name), 'utf8') }));
}

/** A line, and whether it is part of a block of code. */
export interface Line {
  readonly number: number;
  readonly text: string;
  readonly isCode: boolean;
}

export function linesOf({ text }: Page): readonly Line[] {
  let isCode = false;
  return text.split('\n').map((line, index) => {
    const isFence = line.trimStart().startsWith('```');
    if (isFence) isCode = !isCode;
    return { number: index + 1, text: line, isCode: isCode || isFence };
  });
}

/** Targets of links, without those of other sites. */
export function linksOf(page: Page): readonly string[] {
  const prose = linesOf(page)
    .filter(({ isCode }) => !isCode)
    .map(({ text }) => text.replaceAll(/`[^`]*`/g, ''))
    .join('\n');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors of the headings, by GitHub's rules. */
export function anchorsOf(page: Page): ReadonlySet<string> {
  const headings = linesOf(page).filter(({ text, isCode }) => !isCode && /^#+ /.test(text));
  return new Set(
    headings.map(({ text }) =>
      text
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Blocks of code that say which file they are from: `<!-- from docs/examples/sizes.ts -->`. */
export function excerptsOf({ text }: Page): readonly { readonly file: string; readonly code: string }[] {
  const blocks = text.matchAll(/^<!-- from (\S+) -->\n+```\w*\n(.*?)\n```$/gms);
  return [...blocks].map(([, file, code]) => ({ file: file!, code: code! }));
}
