import { setTimeout as sleep } from 'node:timers/promises';
import type { StageNode } from '../plan/types.ts';
import type { Others } from '../run/options.ts';
import type { Failure } from '../stage/errors.ts';
import type { InputKey } from '../stage/keys.ts';
import type { Store } from '../store/types.ts';
import { explainEnd, findEnd, tailOf } from './ends.ts';
import { readStory, type StageOutcome } from './events.ts';
import { type QueuedTask, taskName } from './queue.ts';
import { eventsOf, logOf, type Records } from './records.ts';

export interface OthersOptions {
  readonly keys: ReadonlyMap<StageNode, InputKey>;
  readonly records: Records;
  readonly store: Store;
  /** Ids of the stages that this process makes. */
  readonly own: ReadonlySet<string>;
  /** How tasks of Slurm were last seen, by stage. */
  readonly last?: ReadonlyMap<string, QueuedTask>;
  /** Milliseconds until what another machine has stored is to be seen here. */
  readonly patience?: number;
}

/** A file system over a network may show a folder as it was up to a minute ago. */
const usualPatience = 90_000;
const pause = 1000;

/** What jobs do that make other stages of the plan: the store has their results, their events say why there is none. */
export function createOthers({
  keys,
  records,
  store,
  own,
  last,
  patience = usualPatience,
}: OthersOptions): Others {
  const outcomeOf = (node: StageNode): StageOutcome | undefined => {
    const key = keys.get(node);
    const claim = key === undefined ? undefined : records.claimOf(key);
    if (claim === undefined) return undefined;
    return readStory(eventsOf(records.dirOf(claim.submission), claim.index)).outcomes.get(node.id);
  };
  return {
    has: ({ id }) => !own.has(id),
    async find(node, key) {
      const until = performance.now() + patience;
      for (;;) {
        // Its own task says that it is there: only then it is worth waiting for.
        const outcome = outcomeOf(node);
        if (outcome?.type !== 'stage-finished' || outcome.contentKey !== key) return undefined;
        const entry = await store.lookup(key);
        if (entry || performance.now() > until) return entry;
        await sleep(pause);
      }
    },
    async failureOf(node) {
      const outcome = outcomeOf(node);
      if (outcome?.type === 'stage-failed') return { failure: outcome.failure, tail: outcome.tail };
      if (outcome?.type === 'stage-finished') return { failure: lostResult, tail: [] };
      const submitted = records.find(keys.get(node)!);
      if (submitted?.job === undefined) return { failure: notSubmitted, tail: [] };
      const { job, index, submission } = submitted;
      const end = await findEnd(last?.get(node.id), taskName({ job, index }));
      const tail = tailOf(logOf(records.dirOf(submission), index));
      return { failure: explainEnd(end, tail), tail };
    },
  };
}

const again = 'run again: it is submitted again';
const lostResult: Failure = { message: 'its job stored a result that is not in the store', hint: again };
const notSubmitted: Failure = { message: 'it was not submitted', hint: again };
