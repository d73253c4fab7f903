import test from 'ava';
import fc from 'fast-check';
import { checkAgreement } from '../framework/cli/quick/support/agreement.ts';
import { allEdits, editOf, kinds } from '../framework/cli/quick/support/edits.ts';
import { createQuickProject } from '../framework/cli/quick/support/project.ts';

// Serial, since variables are of the whole process.

test.serial(
  'after every single edit the quick path answers only where a run has nothing to do',
  async (t) => {
    const project = createQuickProject(t);
    await project.run();
    for (const edit of allEdits()) {
      await t.notThrowsAsync(checkAgreement(project, [edit]), JSON.stringify(edit));
    }
  },
);

test.serial('the same after many edits', async (t) => {
  const project = createQuickProject(t);
  await project.run();
  const edits = fc.array(fc.oneof(...kinds.map(editOf)), { minLength: 2, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(edits, (some) => checkAgreement(project, some)),
    { numRuns: 2000 },
  );
  t.pass();
});
