import { type Standing, stopAt, stoppedCell } from '../plan/contest.ts';
import { type MissingCell, withMissing } from '../plan/graph.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import type { Contest, StageNode } from '../plan/types.ts';
import type { Resources } from '../stage/component.ts';
import { isReport } from '../stage/roles.ts';
import type { Entry } from '../store/types.ts';
import type { Attempt } from './attempt.ts';
import {
  awaitedStages,
  type Capacity,
  type Claim,
  chainLengths,
  chooseStarts,
  upstreamStages,
} from './capacity.ts';
import type { StageState, StageStopped } from './record/events.ts';

/**
 * pending (upstream stages have not settled) -> looking (in the store) -> ready (must run) -> running (holds a place) ->
 * settled. A hit skips the middle, and so does a stage that lost an input. A stage whose lock another run holds goes from
 * running to waiting (without a place), then to queued (it has the lock and needs a place), then to running again.
 */
export type Phase = 'pending' | 'looking' | 'ready' | 'running' | 'waiting' | 'queued' | 'settled';

/** A stage on its way through a run. */
export interface Task {
  readonly planned: PlannedStage;
  /** The planned node, or the report without the inputs that could not be made. */
  node: StageNode;
  /** Changed by `Tasks.move` only. */
  readonly phase: Phase;
  state: StageState;
  /** Its result, once it has settled with one. */
  entry?: Entry;
  attempt?: Attempt;
  /** What it holds while it is running. */
  claim?: Claim;
  /** Its gate has let it pass. */
  admitted?: boolean;
  stopped?: StageStopped;
}

/** The stages of a run: in which phase each is, and which waits for which. */
export class Tasks {
  /** In the order of the plan. */
  readonly all: readonly Task[];
  readonly #cells: Plan['graph']['cells'];
  readonly #byNode: ReadonlyMap<StageNode, Task>;
  readonly #byPhase = new Map<Phase, Set<Task>>();
  readonly #upstream = new Map<Task, readonly Task[]>();
  readonly #awaited = new Map<Task, readonly Task[]>();
  readonly #chains: ReadonlyMap<StageNode, number>;

  constructor({ stages, graph }: Pick<Plan, 'stages' | 'graph'>) {
    this.all = stages.map((planned) => ({
      planned,
      node: planned.node,
      phase: 'pending',
      state: 'unstarted',
    }));
    this.#cells = graph.cells;
    this.#byNode = new Map(this.all.map((task) => [task.node, task]));
    this.#byPhase.set('pending', new Set(this.all));
    this.#chains = chainLengths(stages.map(({ node }) => node));
    for (const task of this.all) {
      this.#upstream.set(
        task,
        upstreamStages(task.node).map((node) => this.of(node)),
      );
      this.#awaited.set(
        task,
        awaitedStages(task.node).map((node) => this.of(node)),
      );
    }
  }

  of(node: StageNode): Task {
    return this.#byNode.get(node)!;
  }

  /** In the order in which they came there. */
  in(phase: Phase): readonly Task[] {
    return [...(this.#byPhase.get(phase) ?? [])];
  }

  move(task: Task, phase: Phase): void {
    this.#byPhase.get(task.phase)!.delete(task);
    const there = this.#byPhase.get(phase) ?? new Set();
    this.#byPhase.set(phase, there.add(task));
    (task as { phase: Phase }).phase = phase;
    if (phase !== 'running') delete task.claim;
  }

  /** Those whose results it needs. */
  upstreamOf(task: Task): readonly Task[] {
    return this.#upstream.get(task)!;
  }

  /** Whether all have settled that decide what it runs on, and whether it runs. */
  isDecided(task: Task): boolean {
    return this.#awaited.get(task)!.every(({ phase }) => phase === 'settled');
  }

  /** How many stages follow on the longest chain to the end, itself included. */
  chainOf(task: Task): number {
    return this.#chains.get(task.planned.node)!;
  }

  /** The stage whose failure, or whose gate, is why this one has no result. */
  causeOf(task: Task): Task {
    if (task.state !== 'skipped') return task;
    return this.causeOf(this.upstreamOf(task).find(({ entry }) => entry === undefined)!);
  }

  /** The cells of the table whose stages have no result, and why. */
  missingCells(): MissingCell[] {
    return this.#cells.flatMap((cell) => {
      const { variant, task, seed, stage } = cell;
      const made = this.of(stage);
      if (made.entry) return [];
      if (made.stopped) return [stoppedCell(cell, made.stopped)];
      return [{ variant, task, seed, reason: `${this.causeOf(made).node.id} failed` }];
    });
  }
}

/** What the run does next with a task. */
export type Action =
  /** It will never have a result, because `because` has none. */
  | { readonly type: 'skip'; readonly task: Task; readonly because: Task }
  /** The measures of all points are there: its gate is asked. */
  | { readonly type: 'judge'; readonly task: Task }
  /** The plan found its result, and nothing has changed since. */
  | { readonly type: 'reuse'; readonly task: Task; readonly entry: Entry }
  /** Its inputs are known: its result may be stored under the key that they make. */
  | { readonly type: 'look'; readonly task: Task; readonly node: StageNode }
  /** It gets a place: a ready stage starts, a queued one resumes. */
  | { readonly type: 'start'; readonly task: Task; readonly claim: Claim };

export interface Circumstances {
  readonly capacity: Capacity;
  /** Nothing more begins; only what is queued gets its place, to end in it. */
  readonly stopping: boolean;
  resourcesOf(task: Task): Resources;
}

/**
 * What can be done now, given what has been done: each action moves its task to another phase. None is left when all
 * tasks have settled, or when others have to end first.
 */
export function next(tasks: Tasks, circumstances: Circumstances): readonly Action[] {
  const moves = circumstances.stopping ? [] : tasks.in('pending').flatMap((task) => moveOn(task, tasks));
  return moves.length > 0 ? moves : startsOf(tasks, circumstances);
}

/** What becomes of a pending stage, if that is known by now. */
function moveOn(task: Task, tasks: Tasks): Action[] {
  if (!tasks.isDecided(task)) return [];
  const upstream = tasks.upstreamOf(task);
  const lost = upstream.filter(({ entry }) => entry === undefined);
  const partial = isReport(task.node.component) && lost.length < upstream.length;
  if (lost[0] && !partial) return [{ type: 'skip', task, because: tasks.causeOf(lost[0]) }];
  if (task.node.gate && !task.admitted) return [{ type: 'judge', task }];
  if (lost.length > 0) return [{ type: 'look', task, node: withMissing(task.node, tasks.missingCells()) }];
  const { entry, reduced } = task.planned;
  return [entry && !reduced ? { type: 'reuse', task, entry } : { type: 'look', task, node: task.node }];
}

function startsOf(tasks: Tasks, { capacity, stopping, resourcesOf }: Circumstances): readonly Action[] {
  // Stages that are being looked up may start in a moment: the cores are shared when all of them are known.
  if (tasks.in('looking').length > 0) return [];
  const ready = stopping ? [] : [...tasks.in('ready')];
  ready.sort((a, b) => tasks.chainOf(b) - tasks.chainOf(a));
  const candidates = [
    // Other runs may wait for the locks that these hold, so nothing overtakes them.
    ...tasks.in('queued').map((task) => ({ task, holdsUp: true, resources: resourcesOf(task) })),
    ...ready.map((task) => ({ task, resources: resourcesOf(task) })),
  ];
  const claims = tasks.in('running').map(({ claim }) => claim!);
  return chooseStarts(candidates, claims, capacity).map(({ candidate: { task }, claim }) => ({
    type: 'start',
    task,
    claim,
  }));
}

/** What happens to a stage that lost in a contest. */
export function stoppedBy(task: Task, contest: Contest, standing: Standing): StageStopped {
  return { type: 'stage-stopped', stage: task.node.id, ...stopAt(contest, standing) };
}
