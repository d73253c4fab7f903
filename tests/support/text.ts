import fc from 'fast-check';

/** Text of characters that some format takes for its own, and of any others. */
export const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ...'|\\`*_[]<>&~$#"\',;=+-@\t\n\r\u000b\u000c\u0000\u0007\u001b\u007f\u0085\u2028\u202e ab1',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});
