import type { BuildFailure, Message } from 'esbuild';
import { PecoError } from '../stage/errors.ts';

/** One PecoError for all that esbuild found wrong. */
export function explainFailure({ errors }: Pick<BuildFailure, 'errors'>): PecoError {
  const problems = errors.map((message) =>
    message.detail instanceof PecoError ? message.detail : explainMessage(message),
  );
  if (problems.length === 1) return problems[0]!;
  return new PecoError(`${problems.length} problems in the code`, { code: problems[0]!.code, problems });
}

function explainMessage({ text, location, notes }: Message): PecoError {
  const missing = text.startsWith('Could not resolve');
  const [note] = notes;
  const hint = missing
    ? 'check the path, or install the package'
    : note
      ? `${inLowerCase(note.text)}${note.location ? ` ${note.location.file}:${note.location.line}` : ''}`
      : location?.lineText.trim().slice(0, longestLine);
  return new PecoError(inLowerCase(text), {
    code: missing ? 'missing-module' : 'syntax-error',
    ...(hint ? { hint } : {}),
    ...(location
      ? { location: { file: location.file, line: location.line, column: location.column + 1 } }
      : {}),
  });
}

/** Of a line of code that is shown. */
const longestLine = 120;

/** As messages begin here. */
function inLowerCase(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

export function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as { readonly errors?: unknown }).errors);
}
