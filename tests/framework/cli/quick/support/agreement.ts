import { apply, type Edit } from './edits.ts';
import type { QuickProject } from './project.ts';

/**
 * Makes edits one after the other, asks after each, and undoes them. The project has to have a record that answers, and
 * has one afterwards.
 *
 * @throws if the quick path answers after an edit although the long way would do something
 */
export async function checkAgreement(project: QuickProject, edits: readonly Edit[]): Promise<void> {
  const undos: (() => void)[] = [];
  try {
    for (const edit of edits) {
      undos.unshift(apply(project, edit));
      if (!project.answers()) break;
      const long = await project.longWay();
      if (long !== 'nothing') throw new Error(`the quick path answers, but the long way ${long}`);
    }
  } finally {
    for (const undo of undos) undo();
    await project.run();
    if (!project.answers()) {
      project.restore();
      await project.run();
    }
  }
  if (!project.answers()) throw new Error('there is no record after a run that made everything');
}
