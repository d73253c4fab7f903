import test from 'ava';
import { fixed5x8, fixed6x13 } from '../../components/lettering/fonts.ts';
import { drawLetters, openFont } from '../../components/lettering/letters.ts';

const [small, large] = [openFont(fixed5x8), openFont(fixed6x13)];

/** Rows of a line of text, # for a dot. */
function drawn(font: typeof small, text: string): string[] {
  const letters = font.lettersOf(text);
  const rows = Array.from({ length: font.height }, () => Array(letters.length * font.width).fill('.'));
  drawLetters(letters, font, (x, y) => {
    rows[y]![x] = '#';
  });
  return rows.map((row) => row.join(''));
}

/** Rows of a BITMAP in a BDF file. */
const bitmap = (rows: string, width: number) =>
  rows
    .split(' ')
    .map((row) =>
      Number.parseInt(row, 16)
        .toString(2)
        .padStart(8, '0')
        .slice(0, width)
        .replaceAll('0', '.')
        .replaceAll('1', '#'),
    );

test('letters are those of the BDF files', (t) => {
  t.deepEqual(drawn(small, 'Ж'), bitmap('00 A8 A8 70 A8 A8 A8 00', 5));
  t.deepEqual(drawn(large, 'é'), bitmap('00 00 10 20 00 70 88 F8 80 88 70 00 00', 6));
});

test('names may have Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Thai letters', (t) => {
  const texts = [
    String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i)),
    'ÀÿĀſƒǿḀỹ',
    'ΑΩαωάΏἀᾷ',
    'АЯаяЁѐҐұ',
    'ԱՖաֆ',
    'აჰ',
    'את',
    'กๆ',
    '–—‘’“”…€™→∀≤',
  ];
  for (const text of texts) t.is(large.lettersOf(text).length, [...text].length, text);
  // No two of ASCII look alike.
  const looks = large.lettersOf(texts[0]!).map(({ rows }) => rows.join());
  t.is(new Set(looks).size, 94);
});

test('accents are drawn over their letter, and Hebrew from the right', (t) => {
  t.deepEqual(drawn(large, 'e\u0301x'), drawn(large, 'éx'));
  const [q, mark] = ['q', 'q\u0301'].map((text) => drawn(large, text));
  t.is(mark![0]!.length, 6);
  t.notDeepEqual(mark, q);
  const all = (text: string) => large.lettersOf(text).map(({ rows }) => rows.join());
  t.deepEqual(
    all('a שלום עולם 1'),
    [...'a םלוע םולש 1'].flatMap((letter) => all(letter)),
  );
});

test('a character without a letter is its number on a dark ground', (t) => {
  for (const [text, number] of [
    ['😀', '1F600'],
    ['日', '65E5'],
    ['\t', '0009'],
    ['\u202e', '202E'],
    ['\u200b', '200B'],
    ['\ud800', 'D800'],
    ['\u0301', '0301'],
  ] as const) {
    const rows = drawn(large, text);
    const plain = drawn(large, number);
    const inner = rows.map((row) => row.slice(6, -6));
    t.deepEqual(
      inner,
      plain.map((row) => [...row].map((dot) => (dot === '#' ? '.' : '#')).join('')),
      number,
    );
    t.true(rows.every((row) => row.startsWith('...###') && row.endsWith('###...')));
  }
});
