import { printable } from '../../framework/stage/text.ts';

const commands: { readonly [character: string]: string } = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  '#': '\\#',
  $: '\\$',
  '%': '\\%',
  '&': '\\&',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  '`': '\\textasciigrave{}',
  // Two would be a dash.
  '-': '-{}',
  // After the end of a row these would be read as an option of it.
  '[': '{[}',
  '*': '{*}',
  '−': '$-$',
  '±': '$\\pm$',
  '∞': '$\\infty$',
  '–': '--',
  '↑': '$\\uparrow$',
  '↓': '$\\downarrow$',
};

/**
 * Text as itself in LaTeX. Letters with accents stay as they are, as UTF-8; of other characters fonts and engines have few,
 * so they are named by their code: `\texttt{U+1F600}`.
 */
export function latexText(text: string): string {
  return [...printable(text)].map(latexCharacter).join('');
}

function latexCharacter(character: string): string {
  if (Object.hasOwn(commands, character)) return commands[character];
  if (/^[\x20-\x7e\u00a1-\u00ac\u00ae-\u017e]$/.test(character)) return character;
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  return `\\texttt{U+${code}}`;
}
