import type { WiredInput, WiringIssue } from './component.ts';
import type { Json } from './json.ts';

/**
 * Relations between a field of a component and a fact of one of its inputs, for `expects`. Each returns an issue, or none
 * if the relation holds or the input doesn't say: then its stage has to look.
 */

type Path = readonly (string | number)[];

/** A number in a config, and where it is. */
export interface Field {
  readonly path: Path;
  readonly value: number;
}

/** The field has the value of the fact. */
export function expectEqual(
  field: { readonly path: Path; readonly value: Json },
  input: WiredInput | undefined,
  fact: string,
  hint?: string,
): WiringIssue[] {
  const known = input?.facts[fact];
  if (known === undefined || known === field.value) return [];
  return [issue(field.path, `expected ${show(known)}, the ${fact} of ${input!.name}`, hint)];
}

/** The field is at most the fact. */
export function expectAtMost(
  field: Field,
  input: WiredInput | undefined,
  fact: string,
  hint?: string,
): WiringIssue[] {
  return relate(field, input, fact, (known) => field.value <= known, 'at most', hint);
}

/** The field is at least the fact. */
export function expectAtLeast(
  field: Field,
  input: WiredInput | undefined,
  fact: string,
  hint?: string,
): WiringIssue[] {
  return relate(field, input, fact, (known) => field.value >= known, 'at least', hint);
}

/** The fact is a multiple of the field: a stride or a patch tiles an image. */
export function expectDivisor(
  field: Field,
  input: WiredInput | undefined,
  fact: string,
  hint?: string,
): WiringIssue[] {
  return relate(field, input, fact, (known) => known % field.value === 0, 'a divisor of', hint);
}

/** Two inputs have the same value of each of these facts; it is the first of them that is wrong otherwise. */
export function expectAlike(
  input: string,
  inputs: { readonly [name: string]: WiredInput | undefined },
  like: string,
  facts: readonly string[],
): WiringIssue[] {
  const [mine, theirs] = [inputs[input], inputs[like]];
  return facts.flatMap((fact) => {
    const [is, should] = [mine?.facts[fact], theirs?.facts[fact]];
    if (is === undefined || should === undefined || is === should) return [];
    const message = `expected ${show(should)}, the ${fact} of ${theirs!.name}, not ${show(is)}`;
    return [{ ...issue([fact], message), of: input }];
  });
}

/** A fact that is a number. */
export function factOf(input: WiredInput | undefined, fact: string): number | undefined {
  const known = input?.facts[fact];
  return typeof known === 'number' ? known : undefined;
}

function relate(
  field: Field,
  input: WiredInput | undefined,
  fact: string,
  holds: (known: number) => boolean,
  relation: string,
  hint?: string,
): WiringIssue[] {
  const known = factOf(input, fact);
  if (known === undefined || holds(known)) return [];
  return [issue(field.path, `expected ${relation} ${known}, the ${fact} of ${input!.name}`, hint)];
}

function issue(path: Path, message: string, hint?: string): WiringIssue {
  return { path, message, ...(hint === undefined ? {} : { hint }) };
}

function show(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
