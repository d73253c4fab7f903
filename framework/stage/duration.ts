const units: { readonly [unit: string]: number } = { h: 3600, m: 60, s: 1 };
/** A timer of Node takes up to 2^31 milliseconds. */
const longest = 500 * 3600;

/** `90s`, `10m`, `1.5h` -> seconds; undefined for anything else, and for more than 500h. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smh])$/.exec(text.trim());
  if (!match) return undefined;
  const seconds = Number(match[1]) * units[match[2]!]!;
  return seconds > 0 && seconds <= longest ? seconds : undefined;
}

/** The other way round, in the largest unit that gives a whole number. */
export function formatDuration(seconds: number): string {
  const [unit, size] = Object.entries(units).find(([, size]) => seconds % size === 0) ?? ['s', 1];
  return `${seconds / size}${unit}`;
}

/** `0.8 s`, `42 s`, `3:07`, `1:02:45`: how long something took, read at a glance. */
export function formatElapsed(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
