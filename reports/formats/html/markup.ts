import { printable } from '../../../framework/stage/text.ts';

const entities: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as itself, between tags and in quoted attributes. */
export function text(value: string): string {
  return printable(value).replaceAll(/[&<>"']/g, (character) => entities[character]);
}

/** A name of the user's: its direction of writing stays its own. */
export function name(value: string): string {
  return `<bdi>${text(value)}</bdi>`;
}

/** A value as JSON in a `script` element that no browser runs: no text of it ends the element, or turns what follows. */
export function data(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** Three significant digits, with a unit of powers of 1000: `12.3 M`. */
export function short(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  let size = value;
  let unit = 0;
  for (; size >= 999.5 && unit < units.length - 1; unit++) size /= 1000;
  return `${Number(size.toPrecision(3))}${units[unit]}`;
}

/** A picture inside the page, enlarged by a whole factor where one is given. */
export function imageHtml(
  png: Uint8Array,
  { title, factor }: { readonly title: string; readonly factor?: number },
): string {
  const size = factor === undefined ? '' : ` width="${widthOf(png) * factor}"`;
  return `<img src="data:image/png;base64,${Buffer.from(png).toString('base64')}"${size} alt="${text(title)}">`;
}

/** Of a PNG, in pixels: in the header chunk, which comes first. */
export function widthOf(png: Uint8Array): number {
  return png.length < 24 ? 0 : Buffer.from(png).readUInt32BE(16);
}
