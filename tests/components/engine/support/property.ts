import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Case, Tolerance } from './compare.ts';
import { assertSame } from './compare.ts';

interface Settings<T> {
  /** How many drawn values become the cases of one program, and how many programs. */
  readonly perProgram: number;
  readonly programs: number;
  readonly seed: number;
  readonly tolerance?: Tolerance;
  readonly toCases: (drawn: T, index: number) => Case | readonly Case[];
}

/** Asserts that both engines agree on cases made from drawn values. The message names the failing case and its shapes. */
export async function assertAgreement<T>(
  t: ExecutionContext,
  arbitrary: fc.Arbitrary<T>,
  settings: Settings<T>,
): Promise<void> {
  const { perProgram, programs, seed, tolerance, toCases } = settings;
  const list = fc.array(arbitrary, { minLength: perProgram, maxLength: perProgram });
  const property = fc.asyncProperty(list, (drawn) =>
    assertSame(
      t,
      drawn.flatMap((each, index) => [toCases(each, index)].flat()),
      tolerance,
    ),
  );
  // Shrinking would compile hundreds of programs; the message is precise enough without.
  await fc.assert(property, { numRuns: programs, seed, endOnFailure: true, includeErrorInReport: true });
}
