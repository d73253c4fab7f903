import { inflateSync } from 'node:zlib';
import type { PackedFont } from './fonts.ts';

/** A character as it is drawn: a cell of dots. */
export interface Letter {
  /** From the top; the lowest bit is the right dot. */
  readonly rows: readonly number[];
  /** A line of text may end with it. */
  readonly ends: boolean;
}

/** Letters of one size. */
export interface Font {
  /** Of a letter, in dots. */
  readonly width: number;
  readonly height: number;
  /**
   * Text as letters from left to right. A character that the font lacks becomes its number, white on black: `1F600`. Accents
   * are drawn over the letter before them, and Hebrew from the right.
   */
  lettersOf(text: string): readonly Letter[];
}

type Glyphs = ReadonlyMap<number, readonly number[]>;

/** Unpacks the font when it is needed. */
export function openFont(packed: PackedFont): Font {
  const { width, height } = packed;
  let glyphs: Glyphs | undefined;
  return {
    width,
    height,
    lettersOf(text) {
      glyphs ??= unpack(packed);
      const letters: Letter[] = [];
      let isOpen = false;
      for (const character of fromLeft(text.normalize('NFC'))) {
        const glyph = glyphs.get(character.codePointAt(0)!);
        const isMark = /\p{M}/u.test(character);
        if (glyph && isMark && isOpen) letters.push(overlaid(letters.pop()!, glyph));
        else if (glyph && !isMark) letters.push({ rows: glyph, ends: /[^\p{L}\p{N}]/u.test(character) });
        else letters.push(...numberOf(character, glyphs, width));
        isOpen = glyph !== undefined;
      }
      return letters;
    },
  };
}

function unpack({ height, codes, dots }: PackedFont): Glyphs {
  const rows = inflateSync(Buffer.from(dots, 'base64'));
  return new Map(
    codesIn(codes).map((code, place) => [code, [...rows.subarray(place * height, (place + 1) * height)]]),
  );
}

function codesIn(ranges: string): number[] {
  return ranges.split(' ').flatMap((range) => {
    const [first, last = first] = range.split('-').map((code) => Number.parseInt(code, 16)) as [
      number,
      number?,
    ];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Words of Hebrew that follow each other are written from the right, each letter with its points. */
function fromLeft(text: string): string {
  const words = /\p{Script=Hebrew}+(?: +\p{Script=Hebrew}+)*/gu;
  return text.replaceAll(words, (run) => (run.match(/\P{M}\p{M}*|\p{M}/gu) ?? []).reverse().join(''));
}

function overlaid(letter: Letter, mark: readonly number[]): Letter {
  return { ...letter, rows: letter.rows.map((row, y) => row | mark[y]!) };
}

/** At least four hexadecimal digits, white on black, between two cells that are black beside them only. */
function numberOf(character: string, glyphs: Glyphs, width: number): Letter[] {
  const digits = [...character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')];
  const shown = digits.map((digit) => glyphs.get(digit.codePointAt(0)!)!);
  const [all, half] = [2 ** width - 1, 2 ** Math.floor(width / 2) - 1];
  const filled = (row: number) => shown[0]!.map(() => row);
  return [
    { rows: filled(half), ends: false },
    ...shown.map((glyph) => ({ rows: glyph.map((row) => all & ~row), ends: false })),
    { rows: filled(all & ~half & ~1), ends: true },
  ];
}

/** Calls `dot` for each dot of a line of letters, counted from its top left. */
export function drawLetters(
  letters: readonly Letter[],
  { width }: Pick<Font, 'width'>,
  dot: (x: number, y: number) => void,
): void {
  for (const [place, { rows }] of letters.entries())
    for (const [y, row] of rows.entries())
      for (let x = 0; x < width; x++) if ((row >> (width - 1 - x)) & 1) dot(place * width + x, y);
}
