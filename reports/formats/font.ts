/**
 * Capital letters, digits and the signs of ASCII, 5 dots high and 3 wide, drawn for this project. Each glyph is five rows of
 * three bits, the highest bit on the left.
 */
const GLYPHS: { readonly [character: string]: readonly number[] } = {
  A: [2, 5, 7, 5, 5],
  B: [6, 5, 6, 5, 6],
  C: [3, 4, 4, 4, 3],
  D: [6, 5, 5, 5, 6],
  E: [7, 4, 6, 4, 7],
  F: [7, 4, 6, 4, 4],
  G: [3, 4, 5, 5, 3],
  H: [5, 5, 7, 5, 5],
  I: [7, 2, 2, 2, 7],
  J: [1, 1, 1, 5, 2],
  K: [5, 5, 6, 5, 5],
  L: [4, 4, 4, 4, 7],
  M: [5, 7, 7, 5, 5],
  N: [6, 5, 5, 5, 5],
  O: [2, 5, 5, 5, 2],
  P: [6, 5, 6, 4, 4],
  Q: [2, 5, 5, 6, 3],
  R: [6, 5, 6, 5, 5],
  S: [3, 4, 2, 1, 6],
  T: [7, 2, 2, 2, 2],
  U: [5, 5, 5, 5, 7],
  V: [5, 5, 5, 5, 2],
  W: [5, 5, 7, 7, 5],
  X: [5, 5, 2, 5, 5],
  Y: [5, 5, 2, 2, 2],
  Z: [7, 1, 2, 4, 7],
  0: [7, 5, 5, 5, 7],
  1: [2, 6, 2, 2, 7],
  2: [6, 1, 2, 4, 7],
  3: [6, 1, 2, 1, 6],
  4: [5, 5, 7, 1, 1],
  5: [7, 4, 6, 1, 6],
  6: [3, 4, 7, 5, 7],
  7: [7, 1, 2, 2, 2],
  8: [7, 5, 7, 5, 7],
  9: [7, 5, 7, 1, 6],
  ' ': [0, 0, 0, 0, 0],
  '!': [2, 2, 2, 0, 2],
  '"': [5, 5, 0, 0, 0],
  '#': [5, 7, 5, 7, 5],
  $: [3, 6, 2, 3, 6],
  '%': [5, 1, 2, 4, 5],
  '&': [2, 5, 2, 5, 3],
  "'": [2, 2, 0, 0, 0],
  '(': [1, 2, 2, 2, 1],
  ')': [4, 2, 2, 2, 4],
  '*': [5, 2, 7, 2, 5],
  '+': [0, 2, 7, 2, 0],
  ',': [0, 0, 0, 2, 4],
  '-': [0, 0, 7, 0, 0],
  '.': [0, 0, 0, 0, 2],
  '/': [1, 1, 2, 4, 4],
  ':': [0, 2, 0, 2, 0],
  ';': [0, 2, 0, 2, 4],
  '<': [1, 2, 4, 2, 1],
  '=': [0, 7, 0, 7, 0],
  '>': [4, 2, 1, 2, 4],
  '?': [6, 1, 2, 0, 2],
  '@': [7, 5, 7, 4, 3],
  '[': [6, 4, 4, 4, 6],
  '\\': [4, 4, 2, 1, 1],
  ']': [3, 1, 1, 1, 3],
  '^': [2, 5, 0, 0, 0],
  _: [0, 0, 0, 0, 7],
  '`': [4, 2, 0, 0, 0],
  '{': [3, 2, 6, 2, 3],
  '|': [2, 2, 2, 2, 2],
  '}': [6, 2, 3, 2, 6],
  '~': [0, 3, 6, 0, 0],
};

export const GLYPH_HEIGHT = 5;
/** One dot between glyphs. */
export const GLYPH_ADVANCE = 4;

/** The text as it is drawn, one glyph a character: small letters as capitals, unknown signs as "?". */
export function glyphsOf(text: string): string {
  const drawn = [...text].map((character) => character.toUpperCase());
  return drawn.map((character) => (Object.hasOwn(GLYPHS, character) ? character : '?')).join('');
}

/** Calls `dot` for every dot of a text that `glyphsOf` made. */
export function drawText(text: string, dot: (x: number, y: number) => void): void {
  for (const [index, character] of [...text].entries()) {
    for (const [y, row] of GLYPHS[character].entries()) {
      for (let x = 0; x < 3; x++) if (row & (4 >> x)) dot(index * GLYPH_ADVANCE + x, y);
    }
  }
}
