/** What an output can show. */
export interface Look {
  /** Of the terminal; absent: no terminal, and lines are as long as they are. */
  readonly columns?: number;
  readonly unicode: boolean;
  readonly colour: boolean;
}

/** A file or a pipe. */
export const plainLook: Look = { unicode: true, colour: false };

/** As much of `process.stdout` as is looked at. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

type Environment = { readonly [name: string]: string | undefined };

/**
 * What an output can show: of a pipe nothing is known, and readers of files expect UTF-8. Colour goes by NO_COLOR
 * (https://no-color.org), FORCE_COLOR=0 as Node takes it, and TERM, Unicode by the character set of the locale.
 */
export function lookOf({ isTTY, columns }: Output, environment: Environment): Look {
  if (!isTTY) return plainLook;
  const { NO_COLOR = '', FORCE_COLOR, TERM } = environment;
  return {
    // Without a size, as below `script`, terminals say 0.
    ...(columns ? { columns } : {}),
    unicode: hasUnicode(environment),
    colour: NO_COLOR === '' && FORCE_COLOR !== '0' && TERM !== 'dumb',
  };
}

/** Where no locale is set, as in containers, the terminal is another machine's. Linux's console has few characters. */
function hasUnicode({ LC_ALL, LC_CTYPE, LANG, TERM }: Environment): boolean {
  if (TERM === 'linux' || TERM === 'dumb') return false;
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

/** In ASCII where there is no Unicode: what peco-exp writes has a sign for it, and of names the rest is lost. */
export function inCharacters(text: string, { unicode }: Pick<Look, 'unicode'>): string {
  if (unicode) return text;
  return text.replaceAll(/\P{ASCII}/gu, (character) => ascii[character] ?? '?');
}

const ascii: { readonly [character: string]: string } = {
  '·': '|',
  '…': '~',
  '±': '+-',
  '−': '-',
  '–': '-',
  '×': 'x',
  '↑': '^',
  '↓': 'v',
  '─': '-',
  '│': '|',
  '’': "'",
};

/** SGR codes, and those that end them. */
const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Paint = keyof typeof codes;

/** A text in a colour, where there are colours. */
export function paint(text: string, how: Paint, { colour }: Pick<Look, 'colour'>): string {
  const [begin, end] = codes[how];
  return colour && text !== '' ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
}
