import type { Ranking } from '../experiment/changes/selection.ts';
import { type Fate, fateOf, type Loss } from '../plan/fate.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import type { StageNode } from '../plan/types.ts';
import { upstreamStages } from '../plan/walk.ts';
import type { Resources } from '../stage/component.ts';
import type { Entry } from '../store/types.ts';
import type { Attempt } from './attempt.ts';
import { type Capacity, type Claim, chainLengths, chooseStarts } from './capacity.ts';
import type { StageState } from './record/events.ts';

/**
 * pending (upstream stages have not settled) -> looking (in the store) -> ready (must run) -> running (holds a place) ->
 * settled. A hit skips the middle, and so does a stage that lost an input. A stage whose lock another run holds goes from
 * running to waiting (without a place), then to queued (it has the lock and needs a place), then to running again.
 */
export type Phase = 'pending' | 'looking' | 'ready' | 'running' | 'waiting' | 'queued' | 'settled';

/** A stage on its way through a run. */
export interface Task {
  readonly planned: PlannedStage;
  /** The planned node, or a report or a selection without the inputs that could not be made. */
  node: StageNode;
  /** Changed by `Tasks.move` only. */
  readonly phase: Phase;
  state: StageState;
  /** Its result, once it has settled with one. */
  entry?: Entry;
  attempt?: Attempt;
  /** What it holds while it is running. */
  claim?: Claim;
  /** Why it has none, once it has settled without. */
  loss?: Loss;
  /** What a selection decided. */
  ranking?: Ranking;
}

/** The stages of a run: in which phase each is, and which waits for which. */
export class Tasks {
  /** In the order of the plan. */
  readonly all: readonly Task[];
  readonly #byNode: ReadonlyMap<StageNode, Task>;
  readonly #byPhase = new Map<Phase, Set<Task>>();
  readonly #upstream = new Map<Task, readonly Task[]>();
  readonly #chains: ReadonlyMap<StageNode, number>;

  constructor({ stages }: Pick<Plan, 'stages'>) {
    this.all = stages.map((planned) => ({
      planned,
      node: planned.node,
      phase: 'pending',
      state: 'unstarted',
    }));
    this.#byNode = new Map(this.all.map((task) => [task.node, task]));
    this.#byPhase.set('pending', new Set(this.all));
    this.#chains = chainLengths(stages.map(({ node }) => node));
    for (const task of this.all)
      this.#upstream.set(
        task,
        upstreamStages(task.node).map((node) => this.of(node)),
      );
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

  /** With a result, or with why there is none. */
  settle(task: Task, state: Exclude<StageState, 'unstarted'>, end: Entry | Loss): void {
    task.state = state;
    if ('at' in end) task.loss = end;
    else task.entry = end;
    this.move(task, 'settled');
  }

  /** Those that it waits for. */
  upstreamOf(task: Task): readonly Task[] {
    return this.#upstream.get(task)!;
  }

  /** What becomes of a pending task; undefined until all have settled that it waits for. */
  fateOf(task: Task): Fate | undefined {
    if (this.upstreamOf(task).some(({ phase }) => phase !== 'settled')) return undefined;
    return fateOf(task.planned.node, {
      lossOf: (node) => this.of(node).loss,
      rankingOf: (node) => this.of(node).ranking,
    });
  }

  /** How many stages follow on the longest chain to the end, itself included. */
  chainOf(task: Task): number {
    return this.#chains.get(task.planned.node)!;
  }
}

/** What the run does next with a task. */
export type Action =
  /** It will never have a result. */
  | { readonly type: 'lose'; readonly task: Task; readonly loss: Loss }
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

/** What becomes of a pending task, if that is known by now. */
function moveOn(task: Task, tasks: Tasks): Action[] {
  const fate = tasks.fateOf(task);
  if (!fate) return [];
  if ('loss' in fate) return [{ type: 'lose', task, loss: fate.loss }];
  const { entry, node } = task.planned;
  return [entry && fate.node === node ? { type: 'reuse', task, entry } : { type: 'look', task, ...fate }];
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
