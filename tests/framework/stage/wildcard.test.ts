import test from 'ava';
import fc from 'fast-check';
import { fits } from '../../../framework/stage/wildcard.ts';

test('a star stands for any text, none included, and nothing else is special', (t) => {
  const text = fc.stringMatching(/^[ab.\n*]{0,8}$/);
  fc.assert(
    fc.property(text, fc.stringMatching(/^[ab.\n]{0,8}$/), (pattern, name) => {
      const parts = pattern.split('*').map((part) => part.replaceAll('.', '\\.'));
      t.is(fits(pattern, name), new RegExp(`^${parts.join('.*')}$`, 's').test(name));
    }),
    { numRuns: 500 },
  );
  t.false(fits('ab*ba', 'aba'));
});

test('many stars take no time', (t) => {
  t.false(fits(`${'*x'.repeat(20)}*y`, 'x'.repeat(300)));
});
