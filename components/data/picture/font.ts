/** Letters of 3 x 5 pixels for pictures of predictions, written for them: rows from the top, an octal digit each. */
const glyphs: { readonly [letter: string]: string } = {
  A: '25755',
  B: '65656',
  C: '34443',
  D: '65556',
  E: '74647',
  F: '74644',
  G: '34553',
  H: '55755',
  I: '72227',
  J: '11152',
  K: '55655',
  L: '44447',
  M: '57755',
  N: '65555',
  O: '25552',
  P: '65644',
  Q: '25573',
  R: '65655',
  S: '34216',
  T: '72222',
  U: '55557',
  V: '55552',
  W: '55775',
  X: '55255',
  Y: '55222',
  Z: '71247',
  '0': '75557',
  '1': '26227',
  '2': '61247',
  '3': '61216',
  '4': '55711',
  '5': '74616',
  '6': '34757',
  '7': '71222',
  '8': '75757',
  '9': '75716',
  '.': '00002',
  ',': '00024',
  '-': '00700',
  _: '00007',
  ':': '02020',
  '/': '11244',
  '%': '51245',
  '(': '24442',
  ')': '21112',
  ' ': '00000',
  '+': '02720',
  '=': '07070',
  "'": '22000',
};

/** What stands for a letter that has none. */
const unknown = '75757';

export const glyphWidth = 3;
export const glyphHeight = 5;

/** Rows of a letter from the top, the highest of three bits on the left. Small letters look as capital ones. */
export function glyphOf(letter: string): number[] {
  return [...(glyphs[letter.toUpperCase()] ?? unknown)].map(Number);
}
