import fs from 'node:fs';

/** What is at a place, behind links. Undefined where nothing is: also below a file, and where links go in a circle. */
export function statAt(place: string): fs.Stats | undefined {
  return orAbsent(() => fs.statSync(place));
}

/** What is at a place itself: a link, where one is. */
export function lstatAt(place: string): fs.Stats | undefined {
  return orAbsent(() => fs.lstatSync(place));
}

function orAbsent(stat: () => fs.Stats): fs.Stats | undefined {
  try {
    return stat();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) return undefined;
    throw error;
  }
}
