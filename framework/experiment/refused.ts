import type { ConfigIssue } from '../stage/component.ts';
import type { ExperimentInput } from './types.ts';

// Enumerable, so that `{ ...override(base, ...), name: 'other' }` takes the complaints along; loops don't see symbols.
const key = Symbol.for('peco-exp.refused');

/** Notes changes that could not be made, for the experiment that is made of this input. */
export function refuse(input: ExperimentInput, issues: readonly ConfigIssue[]): ExperimentInput {
  if (issues.length === 0) return input;
  return { ...input, [key]: [...refusedIn(input), ...issues] } as ExperimentInput;
}

export function refusedIn(input: unknown): readonly ConfigIssue[] {
  return (input as { readonly [key]?: readonly ConfigIssue[] } | undefined)?.[key] ?? [];
}
