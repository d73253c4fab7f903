/**
 * What a stage or a loader throws where its user can do something about it: the message says what is wrong, with the
 * value, and `hint` the remedy, which gets a line of its own. Both begin in lower case and end without a full stop.
 *
 * In a file of its own, since it is part of the code of stages, and so of their keys.
 */
export class StageError extends Error {
  override readonly name = 'StageError';
  readonly hint?: string;

  constructor(message: string, { hint, cause }: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    if (hint !== undefined) this.hint = hint;
  }
}
