import test from 'ava';
import fc from 'fast-check';
import { printable, printableLines } from '../../../framework/stage/text.ts';
import { anyText } from '../../support/text.ts';

test('what would steer a terminal is shown instead', (t) => {
  t.is(printable('a\n\u001b[31mb\u007f\u009b\u202ec\ud800'), 'a␊␛[31mb␡<U+009B><U+202E>c\ufffd');
});

test('other text is left alone', (t) => {
  for (const text of ['peco@size=512,dim=16', 'Größe ↑ 日本 👩‍🚀', '| \\ <b> `x`'])
    t.is(printable(text), text);
});

test('whatever text there is, it is on one line without control characters, and showing it again changes nothing', (t) => {
  fc.assert(
    fc.property(anyText, (text) => {
      const shown = printable(text);
      t.notRegex(shown, /[\p{Cc}\p{Zl}\p{Zp}]/u);
      t.is(printable(shown), shown);
    }),
  );
});

test('messages of others have their lines and tabs, and steer no terminal', (t) => {
  t.deepEqual(printableLines('a\r\n\tb \u001b[2Jc\n\rd \u202e'), ['a', '\tb ␛[2Jc', '␍d <U+202E>']);
});
