/** From here on digits before the point say nothing any more. */
const hugeFrom = 1e15;

/**
 * A number for people, with this many digits after the point. One that they would show as 0 although it isn't has two
 * significant digits instead: `0.0021`, `3.0e-8`. A huge one has a power of ten.
 */
export function formatValue(value: number, digits: number): string {
  const size = Math.abs(value);
  return value < 0 ? `−${formatSize(size, digits)}` : formatSize(size, digits);
}

function formatSize(size: number, digits: number): string {
  // A metric that its scale carries beyond the largest number.
  if (size === Number.POSITIVE_INFINITY) return '∞';
  if (size >= hugeFrom) return size.toExponential(2);
  const fixed = size.toFixed(digits);
  return size > 0 && Number(fixed) === 0 ? size.toPrecision(2) : fixed;
}

/** The same with its sign; a zero has none. */
export function formatSigned(value: number, digits: number): string {
  return value > 0 ? `+${formatValue(value, digits)}` : formatValue(value, digits);
}

/** `−0.12, 1.30`: both ends of an interval in a column's unit. */
export function formatEnds(ends: readonly [number, number], { scale, digits }: NumberFormat): string {
  return ends.map((end) => formatValue(end * scale, digits)).join(', ');
}

/** How a column shows a number: the number times `scale`, with so many digits after the point. */
export interface NumberFormat {
  readonly scale: number;
  readonly digits: number;
}

/** ` ± 1.41`; nothing where there is no spread. */
export function formatSpread(deviation: number | undefined, { scale, digits }: NumberFormat): string {
  return deviation === undefined ? '' : ` ± ${formatValue(deviation * scale, digits)}`;
}

/** The number that people see. */
export function shownValue(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(formatValue(value, digits).replace('−', '-')) : value;
}
