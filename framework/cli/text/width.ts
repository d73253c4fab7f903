import { stripVTControlCharacters } from 'node:util';

/** Characters that take one column; others are taken for two, which is the most that one takes. */
const narrow = /[ -~·…±−–×↑↓─’\u2800-\u28ff\p{Script=Latin}]/u;

/** Columns that a text takes at most; escape sequences take none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) width += columnsOf(character);
  return width;
}

/** A text without escape sequences that takes no more columns, its end cut off and marked where it is longer. */
export function cutToWidth(text: string, most: number): string {
  if (most < 1) return '';
  if (widthOf(text) <= most) return text;
  const characters = [...text];
  return `${characters.slice(0, countFitting(characters, most - 1)).join('')}…`;
}

/** The same without its middle: the start of a stage's name says the kind, its end the point of a sweep and the seed. */
export function cutMiddle(text: string, most: number): string {
  if (most < 1) return '';
  if (widthOf(text) <= most) return text;
  const characters = [...text];
  const end = countFitting(characters.toReversed(), Math.floor((most - 1) / 2));
  const tail = characters.splice(characters.length - end).join('');
  return `${characters.slice(0, countFitting(characters, most - 1 - widthOf(tail))).join('')}…${tail}`;
}

/** Padded to a width: text to the left, numbers to the right. */
export function padTo(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return side === 'left' ? text + space : space + text;
}

/** Lines of whole words, none wider unless a word is. The first begins with the space of the text, others with `indent`. */
export function wrapWords(text: string, most: number, indent = ''): string[] {
  const words = text.trimStart();
  const lines = [text.slice(0, text.length - words.length)];
  let isEmpty = true;
  for (const word of words.split(' ')) {
    const longer = isEmpty ? lines.at(-1)! + word : `${lines.at(-1)} ${word}`;
    if (isEmpty || widthOf(longer) <= most) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
    isEmpty = false;
  }
  return lines;
}

function columnsOf(character: string): number {
  return narrow.test(character) ? 1 : 2;
}

/** How many of them fit. */
function countFitting(characters: readonly string[], most: number): number {
  let width = 0;
  const over = characters.findIndex((character) => {
    width += columnsOf(character);
    return width > most;
  });
  return over < 0 ? characters.length : over;
}
