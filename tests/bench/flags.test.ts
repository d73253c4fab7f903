import test from 'ava';
import { formatError } from '../../framework/stage/errors.ts';
import { amountOf, checkNames, countOf, countOrNone } from './flags.ts';

const said = (work: () => unknown): string => {
  try {
    return `nothing, but ${work()}`;
  } catch (error) {
    return formatError(error);
  }
};

test('a benchmark that is called wrongly says what there is', (t) => {
  const known = ['mim-small', 'mim-base', 'vqvae-small'];
  t.deepEqual(
    [
      () => checkNames('--shapes', ['mim-base', 'mim-smal'], known, { more: 'NAME:BATCH for another batch' }),
      () => checkNames('--only', ['nosuch'], known),
      () => countOf('--rounds', 'two'),
      () => countOf('--rounds', ''),
      () => countOrNone('--workers', '-1'),
      () => amountOf('--seconds', '0'),
    ].map(said),
    [
      '--shapes: there is no "mim-smal"\n  did you mean "mim-small"? one of: mim-small, mim-base, vqvae-small; NAME:BATCH for another batch',
      '--only: there is no "nosuch"\n  one of: mim-small, mim-base, vqvae-small',
      '--rounds takes a whole number of at least 1, not "two"',
      '--rounds takes a whole number of at least 1, not ""',
      '--workers takes a whole number of at least 1, not "-1"',
      '--seconds takes a number above 0, not "0"',
    ],
  );
  checkNames('--shapes', ['mim-base:4'], known, { isKnown: (name) => known.includes(name.split(':')[0]!) });
  t.deepEqual(
    [countOf('--rounds', '3'), countOrNone('--workers', '0'), amountOf('--seconds', '0.5')],
    [3, 0, 0.5],
  );
});
