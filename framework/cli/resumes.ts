import path from 'node:path';
import type { PlannedStage } from '../plan/plan.ts';
import { mayRun } from '../plan/types.ts';
import { findResumePoint, type ResumePoint } from '../run/worker/resume.ts';
import type { Store } from '../store/types.ts';

/** Where a planned stage would resume. Undefined also where its inputs aren't known: checkpoints go by content key. */
export async function findResume(
  planned: PlannedStage,
  store: Store,
  engine: string,
): Promise<ResumePoint | undefined> {
  const { contentKey } = planned;
  if (contentKey === undefined || !mayRun(planned)) return undefined;
  return findResumePoint(path.join(store.dir, 'work', contentKey), engine);
}
