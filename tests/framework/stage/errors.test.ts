import test from 'ava';
import { formatError, PecoError } from '../../../framework/stage/errors.ts';

test('an error is shown with its place and hint, and without a stack', (t) => {
  const location = { file: 'a.ts', line: 3, column: 7 };
  const error = new PecoError('no such layer', { code: 'x', hint: 'did you mean "relu1_2"?', location });
  t.is(formatError(error), 'no such layer\n  at a.ts:3\n  did you mean "relu1_2"?');
});

test('an error that stands for many tells them all', (t) => {
  const problems = [
    new PecoError('one', { code: 'x', hint: 'mend it' }),
    new PecoError('two\nlines', { code: 'x' }),
  ];
  t.is(
    formatError(new PecoError('2 problems', { code: 'x', problems })),
    '2 problems\n\n  one\n    mend it\n\n  two\n  lines',
  );
});

test('other errors are shown by their message, other values as text', (t) => {
  t.is(formatError(new TypeError('is no function')), 'is no function');
  t.is(formatError(new RangeError()), 'RangeError');
  t.is(formatError('plain'), 'plain');
});

test('nothing of an error steers a terminal, whatever names and values it tells', (t) => {
  const location = { file: 'a\u202e.ts', line: 3, column: 7 };
  const problems = [new PecoError('tokenizers.\u001b[2J: no name', { code: 'x', hint: 'one\rof', location })];
  const text = formatError(new PecoError('a problem', { code: 'x', problems }));
  t.is(text, 'a problem\n\n  tokenizers.␛[2J: no name\n    at a<U+202E>.ts:3\n    one␍of');
  t.is(formatError(new Error('\u0007 b')), '␇ b');
});

test('an error keeps its cause and its code', (t) => {
  const cause = new Error('ENOSPC');
  const error = new PecoError('full', { code: 'store-write', cause });
  t.is(error.cause, cause);
  t.is(error.code, 'store-write');
});
