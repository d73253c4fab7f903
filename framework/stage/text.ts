/**
 * Text on one line that does nothing to a terminal: control characters as their pictures (`␊`, `␛`), characters that
 * end lines or turn the direction of writing as `<U+202E>`, halves of surrogate pairs as `�`.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return '\u2421';
    if (code >= 0xd800 && code < 0xe000) return '\ufffd';
    return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}

/** Text of several lines, such as the message of an error that others wrote: each line as `printable` has it; tabs stay. */
export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.split('\t').map(printable).join('\t'));
}
