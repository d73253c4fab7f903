import { explainMakeError } from '../files/make-folders.ts';
import { PecoError } from '../stage/errors.ts';

/** A folder that a flag names, and what is to be written there. */
export interface NamedPlace {
  readonly what: string;
  readonly folder: string;
  readonly flag: string;
}

/** A folder that a user named and that can't be written. */
export function noPlaceFor({ what, folder, flag }: NamedPlace, obstacle: string): PecoError {
  return new PecoError(`${what} can't be written to ${folder}: ${obstacle}`, {
    code: 'invalid-settings',
    hint: `choose another folder with --${flag}`,
  });
}

/** What a folder can't be is not always seen before: its error in words, with the flag that names another. */
export function writingTo<T>(place: NamedPlace, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    const obstacle = explainMakeError(error);
    throw obstacle === undefined ? error : noPlaceFor(place, obstacle);
  });
}
