/** A value in a message: as JSON where it is any, and not too long. Never throws, whatever a config holds. */
export function showValue(value: unknown, most = 60): string {
  const text = toText(value);
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}

function toText(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  try {
    return JSON.stringify(value, readable) ?? String(value);
  } catch {
    return 'an object that is no JSON'; // it contains itself, or its `toJSON` throws
  }
}

function readable(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
