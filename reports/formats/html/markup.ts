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

/** `0.8 s`, `42 s`, `3:07`, `1:02:45` */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Three significant digits, with a unit of powers of 1000: `12.3 M`. */
export function short(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  let size = value;
  let unit = 0;
  for (; size >= 999.5 && unit < units.length - 1; unit++) size /= 1000;
  return `${Number(size.toPrecision(3))}${units[unit]}`;
}
