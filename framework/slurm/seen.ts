import { fateOf, type Loss, readRanking } from '../plan/fate.ts';
import type { StageNode } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import type { Emit } from '../run/record/events.ts';
import { finishedEvent, lostEvent } from '../run/record/finished.ts';
import type { Task } from '../run/tasks.ts';
import type { ContentKey } from '../stage/keys.ts';
import type { Entry, Store } from '../store/types.ts';
import type { StageOutcome } from './events.ts';

export interface SeenOptions {
  /** How stages ended, as their tasks told: these events were emitted. */
  readonly told: ReadonlyMap<string, StageOutcome>;
  readonly store: Pick<Store, 'lookup'>;
  readonly emit: Emit;
}

/**
 * Of a run that was left while its jobs went on: settles what had ended by then, and what follows from that for certain, as
 * a run on this machine has it when it is interrupted. The rest stays `unstarted`.
 *
 * @param tasks in topological order
 */
export async function settleSeen(tasks: readonly Task[], options: SeenOptions): Promise<void> {
  const byId = new Map(tasks.map((task) => [task.planned.node.id, task]));
  const of = (node: StageNode) => byId.get(node.id)!;
  const known = {
    lossOf: (node: StageNode) => of(node).loss,
    rankingOf: (node: StageNode) => of(node).ranking,
  };
  for (const task of tasks) {
    if (task.state !== 'unstarted') continue;
    const { node, entry } = task.planned;
    const outcome = options.told.get(node.id);
    if (outcome) {
      await settleTold(task, outcome, byId, options.store);
      continue;
    }
    if (upstreamStages(node).some((one) => of(one).state === 'unstarted')) continue;
    const fate = fateOf(node, known);
    if ('loss' in fate) {
      const event = lostEvent(node.id, fate.loss);
      settleLost(task, fate.loss, event.type);
      options.emit(event);
    } else if (entry && fate.node === node) {
      settleMade(task, 'hit', entry);
      options.emit(finishedEvent(node.id, 'hit', entry));
    }
  }
}

async function settleTold(
  task: Task,
  outcome: StageOutcome,
  byId: ReadonlyMap<string, Task>,
  store: SeenOptions['store'],
): Promise<void> {
  if (outcome.type === 'stage-finished') {
    // What another machine stored may not be to be seen here yet: its task says that it ran.
    const entry = await store.lookup(outcome.contentKey as ContentKey);
    if (entry) settleMade(task, 'ran', entry);
    else task.state = 'ran';
    return;
  }
  const because = outcome.type === 'stage-failed' ? undefined : outcome.because;
  const { node: at } = (byId.get(because ?? outcome.stage) ?? task).planned;
  if (outcome.type !== 'stage-dropped') settleLost(task, { at }, outcome.type);
  else {
    const { type, stage: _stage, because: _because, ...drop } = outcome;
    settleLost(task, { at, drop }, type);
  }
}

const states = {
  'stage-failed': 'failed',
  'stage-skipped': 'skipped',
  'stage-dropped': 'dropped',
} as const;

function settleLost(task: Task, loss: Loss, type: keyof typeof states): void {
  task.state = states[type];
  task.loss = loss;
}

function settleMade(task: Task, state: 'hit' | 'ran', entry: Entry): void {
  task.state = state;
  task.entry = entry;
  try {
    const ranking = readRanking(task.planned.node, entry);
    if (ranking) task.ranking = ranking;
  } catch {
    // What the selection decided is not known here: the next command reads it again.
  }
}
