import type { WiredInput, WiringIssue } from '../../framework/stage/component.ts';
import { expectAtLeast, expectAtMost, type Field, factOf } from '../../framework/stage/expect.ts';
import { expectTarget } from './expect-target.ts';

/** That there are as many labels of each class as `classBalancedSubset` will ask for, as far as it is known. */
export function expectLabels(field: Field, train: WiredInput | undefined): WiringIssue[] {
  const rules = [
    () => expectClasses(train, field.path),
    () => expectAtLeast(field, train, 'classes', 'at least one label for each class'),
    () => expectAtMost(field, train, 'images'),
    () => expectRarest(field, train),
  ];
  // One is enough: the others follow from it.
  for (const rule of rules) {
    const issues = rule();
    if (issues.length > 0) return issues;
  }
  return [];
}

/** What is learnt from labels tells classes apart: of one there is nothing to learn, and losses have no such case. */
export function expectClasses(train: WiredInput | undefined, path: WiringIssue['path']): WiringIssue[] {
  const other = expectTarget('class', train, path);
  if (other.length > 0) return other;
  const classes = factOf(train, 'classes');
  if (classes === undefined || classes >= 2) return [];
  const hint = 'take data of at least 2 classes';
  return [{ path, message: `${train!.name} has ${classes} class: there is nothing to tell apart`, hint }];
}

/** Classes get as many labels each; what is left goes to the first ones. */
function expectRarest({ path, value }: Field, train: WiredInput | undefined): WiringIssue[] {
  const perClass = train?.facts.perClass;
  if (!Array.isArray(perClass)) return [];
  const present = (perClass as readonly number[]).filter((images) => images > 0);
  const rarest = Math.min(...present);
  const most = present.length * rarest + present.indexOf(rarest);
  if (value <= most) return [];
  const hint = `every class gets as many labels, and the rarest of the ${present.length} classes of ${train!.name} has ${rarest} images`;
  return [{ path, message: `expected at most ${most}`, hint }];
}
