import type { BuildFailure } from 'esbuild';
import { PecoError } from '../stage/errors.ts';

/** One PecoError for all that esbuild found wrong. */
export function explainFailure(failure: BuildFailure): PecoError {
  const problems = failure.errors.map(({ text, location, notes, detail }) => {
    if (detail instanceof PecoError) return detail;
    const missing = text.startsWith('Could not resolve');
    const hint = missing ? 'check the path, or install the package' : notes[0]?.text;
    return new PecoError(text, {
      code: missing ? 'missing-module' : 'syntax-error',
      ...(hint ? { hint } : {}),
      ...(location
        ? { location: { file: location.file, line: location.line, column: location.column + 1 } }
        : {}),
    });
  });
  if (problems.length === 1) return problems[0]!;
  return new PecoError(`${problems.length} problems in the code`, { code: problems[0]!.code, problems });
}

export function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as { readonly errors?: unknown }).errors);
}
