import { fixed6x13 } from '../../components/lettering/fonts.ts';
import { drawLetters, type Letter, openFont } from '../../components/lettering/letters.ts';

/** A label as it is drawn, in lines. */
export interface Label {
  readonly lines: readonly (readonly Letter[])[];
  /** Pixels a side of a dot of the letters. */
  readonly dot: number;
  /** In pixels. */
  readonly height: number;
}

/** What a label says, and how high what it stands beside is, in pixels. */
export interface Labelled {
  readonly text: string;
  readonly height: number;
}

const font = openFont(fixed6x13);

/** Of the labels, in pixels: 22 large letters, or 44 small ones. */
const mostWidth = 264;

/**
 * Labels of the rows of a picture: all in large letters, in as many lines as their rows have room for; in small ones where
 * that is too little for one of them; and where that is too little, without its middle, in which names of swept rows differ
 * least. Labels that look alike are numbered, all of them.
 */
export function layLabels(rows: readonly Labelled[]): { labels: readonly Label[]; width: number } {
  const laid = layAll(rows);
  const isAlike = new Set(laid.map(lookOf)).size < laid.length;
  const labels = isAlike
    ? layAll(rows.map(({ text, height }, row) => ({ text: `${row + 1} ${text}`, height })))
    : laid;
  const width = Math.max(
    ...labels.flatMap(({ lines, dot }) => lines.map((line) => line.length * font.width * dot)),
  );
  return { labels, width };
}

/** Calls `pixel` for each dark pixel, counted from the top left of the label. */
export function drawLabel({ lines, dot }: Label, pixel: (x: number, y: number) => void): void {
  for (const [place, line] of lines.entries()) {
    drawLetters(line, font, (x, y) => {
      for (let down = 0; down < dot; down++)
        for (let across = 0; across < dot; across++)
          pixel(x * dot + across, (place * font.height + y) * dot + down);
    });
  }
}

function layAll(rows: readonly Labelled[]): Label[] {
  const large = rows.map((row) => lay(row, 2));
  if (large.every(({ height }, row) => height <= rows[row].height)) return large;
  return rows.map((row) => lay(shortened(row), 1));
}

function lay({ text }: Labelled, dot: number): Label {
  const lines = wrapped(font.lettersOf(text), Math.floor(mostWidth / (font.width * dot)));
  return { lines, dot, height: lines.length * font.height * dot };
}

/** At least one line; lines end where letters let them, unless that would leave most of one empty. */
function wrapped(letters: readonly Letter[], most: number): Letter[][] {
  const lines: Letter[][] = [];
  let rest = [...letters];
  while (rest.length > most) {
    const end = rest.slice(0, most).findLastIndex(({ ends }) => ends) + 1;
    lines.push(rest.slice(0, end > most / 3 ? end : most));
    rest = rest.slice(lines.at(-1)!.length);
  }
  return [...lines, rest];
}

/** As much of both ends as has room in small letters. */
function shortened(row: Labelled): Labelled {
  const lines = Math.max(1, Math.floor(row.height / font.height));
  if (lay(row, 1).lines.length <= lines) return row;
  const characters = [...row.text];
  for (let kept = characters.length - 1; kept > 1; kept = Math.floor(kept * 0.95)) {
    const [first, last] = [Math.ceil(kept / 2), Math.floor(kept / 2)];
    const text = `${characters.slice(0, first).join('')}…${characters.slice(characters.length - last).join('')}`;
    if (lay({ ...row, text }, 1).lines.length <= lines) return { ...row, text };
  }
  return { ...row, text: '…' };
}

/** What the eye sees of a label: spaces at its end are nothing. */
function lookOf({ lines }: Label): string {
  const rows = lines.flat().map((letter) => letter.rows.join());
  while (rows.length > 0 && /^[0,]*$/.test(rows.at(-1)!)) rows.pop();
  return rows.join(' ');
}
