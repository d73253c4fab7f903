import { CommanderError } from 'commander';
import { isPecoError } from '../../stage/errors.ts';

/** An error as `--json` prints it, with all that is wrong: an Error itself has no message in JSON. */
export function errorAsJson(error: unknown) {
  return { ...describeError(error), problems: problemsOf(error) };
}

function describeError(error: unknown) {
  if (isPecoError(error)) {
    const { code, message, hint, location } = error;
    return { code, message, hint: hint ?? null, location: location ?? null };
  }
  const message = error instanceof Error ? error.message : String(error);
  const isUsage = error instanceof CommanderError;
  return {
    code: isUsage ? 'usage' : 'unexpected',
    message: message.replace(/^error: /, ''),
    hint: null,
    location: null,
  };
}

function problemsOf(error: unknown) {
  return isPecoError(error) ? error.problems.map(describeError) : [];
}
