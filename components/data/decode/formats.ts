/** Formats that turn up with the name of another, by the bytes that they begin with. */
const OTHERS: readonly (readonly [start: string, name: string])[] = [
  ['GIF8', 'a GIF'],
  ['BM', 'a BMP'],
  ['II*\0', 'a TIFF'],
  ['MM\0*', 'a TIFF'],
  ['8BPS', 'a Photoshop file'],
  ['%PDF', 'a PDF'],
  ['PK\x03\x04', 'a zip archive'],
  ['\x1f\x8b', 'a gzip archive'],
  ['version https://git-lfs', 'a pointer of Git LFS, not the file itself'],
  ['<', 'text: a web page, perhaps, or an SVG'],
];

/** Where a JPEG, PNG or WebP begins, and with what. */
const OURS: readonly (readonly [start: string, at: number])[] = [
  ['\xff\xd8\xff', 0],
  ['\x89PNG\r\n\x1a\n', 0],
  ['WEBP', 8],
];

/** What a file is that is none of the three formats; undefined if it seems to be one. */
export function nameFormat(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'it is empty';
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  if (OURS.some(([text, at]) => start.startsWith(text, at))) return undefined;
  if (start.startsWith('ftyp', 4)) return 'it is a HEIC, AVIF or video file, not a JPEG, PNG or WebP';
  const other = OTHERS.find(([text]) => start.startsWith(text));
  return `it is ${other?.[1] ?? 'something else'}, not a JPEG, PNG or WebP`;
}
