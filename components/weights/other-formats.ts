/** What is wrong with a file as a whole. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/** By what a file begins with, as latin-1: what is wrong with it, and the remedy. */
const OTHERS: readonly (readonly [start: string, message: string])[] = [
  [
    'version https://git-lfs',
    'is a pointer of Git LFS, not the file that it stands for: `git lfs pull` gets that',
  ],
  ['<!', 'is a page of a web site, not the file that it links to: download that'],
  ['<html', 'is a page of a web site, not the file that it links to: download that'],
  ['<?xml', 'is an answer of a web server, not the file that was asked for: download it again'],
  ['\u0080', 'is a pickle, but not one of torch.save'],
  ['\u001f\u008b', 'is compressed with gzip: unpack it'],
  ['\u0089HDF', 'is an HDF5 file; read here are safetensors and files of torch.save'],
  ['\u00ff\u00d8\u00ff', 'is a JPEG image, not a file of weights'],
  ['\u0089PNG', 'is a PNG image, not a file of weights'],
  ['\u0093NUMPY', 'is an array of numpy; read here are safetensors and files of torch.save'],
];

/** Where a tar archive says that it is one. PyTorch wrote such files before 0.1.10. */
const TAR = { at: 257, sign: 'ustar' };

/**
 * Refuses what else is found under names such as `.pth` and `.safetensors`.
 *
 * @param head the first 512 bytes of the file, or all of a shorter one
 * @throws FormatError
 */
export function refuseOthers(head: Buffer): void {
  if (head.length === 0) throw new FormatError('is empty');
  const text = head.toString('latin1');
  const start = text.trimStart().toLowerCase();
  for (const [sign, message] of OTHERS)
    if (text.startsWith(sign) || start.startsWith(sign)) throw new FormatError(message);
  if (text.startsWith(TAR.sign, TAR.at))
    throw new FormatError('is a tar archive: load it with PyTorch and save it again with torch.save');
  // The header of a safetensors file begins behind its length of 8 bytes.
  if (text.length > 8 && text[8] !== '{')
    throw new FormatError('is of no format that is read here: safetensors and files of torch.save are');
}
