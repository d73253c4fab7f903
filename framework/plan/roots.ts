import type { ContentKey, Fingerprint } from '../stage/keys.ts';
import type { Store } from '../store/types.ts';
import { withoutSeed } from './named.ts';
import type { Plan, PlannedStage } from './plan.ts';
import { mayRun, type StageNode } from './types.ts';
import { upstreamStages } from './walk.ts';
import { findNearest, type Nearest } from './why.ts';

/** Stages that run by themselves, not because another one does: those of all seeds of one name. */
export interface Root {
  /** In the order of the plan. */
  readonly stages: readonly PlannedStage[];
  /** How many others run, or may, because of them. */
  readonly followers: number;
}

/** The roots of what a plan would run, and for each stage that runs because of them the first of its roots. */
export interface Roots {
  readonly roots: readonly Root[];
  readonly rootOf: ReadonlyMap<StageNode, Root>;
}

/** Why a root runs: the stored result that its first stage is most like, if there is one of its kind. */
export interface ExplainedRoot extends Root {
  readonly nearest?: Nearest;
}

/** Stages whose results are not known go by what they wait for, however far up that is. */
export function findRoots(plan: Pick<Plan, 'stages'>): Roots {
  const groups = new Map<string, { stages: PlannedStage[]; followers: number }>();
  const rootOf = new Map<StageNode, { stages: PlannedStage[]; followers: number }>();
  for (const planned of plan.stages) {
    const { node, pending } = planned;
    if (!mayRun(planned)) continue;
    const above =
      pending &&
      (rootOf.get(pending) ??
        upstreamStages(node)
          .map((one) => rootOf.get(one))
          .find(Boolean));
    if (above) {
      above.followers += 1;
      rootOf.set(node, above);
      continue;
    }
    const name = withoutSeed(node.id);
    const group = groups.get(name) ?? { stages: [], followers: 0 };
    group.stages.push(planned);
    groups.set(name, group);
    rootOf.set(node, group);
  }
  return { roots: [...groups.values()], rootOf };
}

/** What the first stage of each root differs in; of no more of them than that, since it looks at all that is stored. */
export async function explainRoots(
  roots: readonly Root[],
  plan: Pick<Plan, 'documents'>,
  store: Store,
  most: number,
): Promise<readonly ExplainedRoot[]> {
  const known = new Map<ContentKey, Promise<Fingerprint | undefined>>();
  const remembering = {
    documents: store.documents,
    keys: () => store.keys(),
    lookup: (key: ContentKey) => store.lookup(key),
    fingerprint(key: ContentKey) {
      const found = known.get(key) ?? store.fingerprint(key);
      known.set(key, found);
      return found;
    },
  };
  const explained: ExplainedRoot[] = [];
  for (const [index, root] of roots.entries()) {
    const [first] = root.stages;
    const wanted = index < most && first!.status !== 'unknown';
    const nearest = wanted ? await findNearest(first!, plan, remembering) : undefined;
    explained.push({ ...root, ...(nearest ? { nearest } : {}) });
  }
  return explained;
}
