import test from 'ava';
import fc from 'fast-check';
import { checkAgreement } from './support/agreement.ts';
import { editOf, kinds } from './support/edits.ts';
import { createQuickProject } from './support/project.ts';

// Serial, since variables are of the whole process.

for (const kind of kinds) {
  test.serial(
    `after edits of ${kind} the quick path answers only where a run has nothing to do`,
    async (t) => {
      const project = createQuickProject(t);
      await project.run();
      const edits = fc.array(editOf(kind), { minLength: 1, maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(edits, (some) => checkAgreement(project, some)),
        { numRuns: 8 },
      );
      t.pass();
    },
  );
}

test.serial('the same after edits of any kinds', async (t) => {
  const project = createQuickProject(t);
  await project.run();
  const edits = fc.array(fc.oneof(...kinds.map(editOf)), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(edits, (some) => checkAgreement(project, some)),
    { numRuns: 8 },
  );
  t.pass();
});
