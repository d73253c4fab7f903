import { setMaxListeners } from 'node:events';
import os from 'node:os';
import { bundleImplementation } from '../code/code.ts';
import { judgeContest, type Standing, stopAt, stoppedCell } from '../plan/contest.ts';
import { type MissingCell, withMissing } from '../plan/graph.ts';
import { createMeasured, recordedOf } from '../plan/past-stages.ts';
import { findChangedInputs, locateStage, type Plan, type PlannedStage } from '../plan/plan.ts';
import type { Contest, Point, StageNode } from '../plan/types.ts';
import type { Resources } from '../stage/component.ts';
import type { Entry } from '../store/types.ts';
import {
  type Attempt,
  type AttemptResult,
  attemptStage,
  describeFailure,
  type Slot,
  type Workshop,
} from './attempt.ts';
import {
  awaitedStages,
  type Capacity,
  type Claim,
  chainLengths,
  chooseStarts,
  upstreamStages,
} from './capacity.ts';
import { realTimer } from './limit.ts';
import type { Emit, StageState, StageStopped } from './record/events.ts';
import { createProvenanceWriter, imagesPerSecond } from './record/provenance.ts';
import type { RunOptions } from './run.ts';

/** A stage on its way through a run. */
export interface Task {
  readonly planned: PlannedStage;
  /** The planned node, or the report without the inputs that could not be made. */
  node: StageNode;
  /**
   * pending (upstream stages not settled) -> resolving (being looked up) -> ready (must run) -> active -> settled;
   * a hit skips the middle, and so does a stage whose upstream failed.
   */
  phase: 'pending' | 'resolving' | 'ready' | 'active' | 'settled';
  state: StageState;
  entry?: Entry;
  attempt?: Attempt;
  /** Its gate has let it pass. */
  admitted?: boolean;
  stopped?: StageStopped;
}

/** Brings every stage to its end. Resolves when nothing runs and nothing more can start. */
export function settleStages(plan: Plan, options: RunOptions, emit: Emit): Promise<readonly Task[]> {
  const { store, root, kill } = options;
  const failing = new AbortController();
  const stop = AbortSignal.any([options.stop, failing.signal]);
  // As many listen as there are stages that run or wait for locks; Node would warn of a leak from 11 up.
  setMaxListeners(0, stop, kill);
  const tasks = new Map<StageNode, Task>(
    plan.stages.map((planned) => [
      planned.node,
      { planned, node: planned.node, phase: 'pending', state: 'unstarted' },
    ]),
  );
  const capacity: Capacity = {
    jobs: options.jobs,
    cores: options.cores ?? os.availableParallelism(),
    memory: options.memory ?? usableMemory(),
  };
  const chains = chainLengths(plan.stages.map((planned) => planned.node));
  const shop: Workshop = {
    store,
    engine: options.engine,
    executor: options.executor,
    bundleModule: (url) => bundleImplementation(url, { root }),
    findChangedInputs: (attempt) =>
      findChangedInputs(attempt.node, attempt, attempt.entryOf, { store, root }),
    writeProvenance: createProvenanceWriter(options),
    stop,
    kill,
    retries: options.retries ?? 1,
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    timer: options.timer ?? realTimer,
    emit,
  };
  /** What the stages hold that have a slot. */
  const slots = new Map<Task, Claim>();
  const contests = new Map<Contest, Promise<ReadonlyMap<Point, Standing>>>();
  /** Attempts that hold a lock after waiting for it: first in line, since other runs may now wait for them. */
  const queue: { task: Task; grant: (threads: number) => void }[] = [];
  const warned = new Set<Task>();
  const measured = createMeasured(options.recorded ?? []);
  let busy = 0;
  let finish: (tasks: readonly Task[]) => void;
  let giveUp: (bug: unknown) => void;
  const finished = new Promise<readonly Task[]>((resolve, reject) => {
    finish = resolve;
    giveUp = reject;
  });

  function pump(): void {
    if (!stop.aborted) for (const task of tasks.values()) if (task.phase === 'pending') advance(task);
    startReady();
    if (busy === 0) finish([...tasks.values()]);
  }

  /** Moves a pending stage on as soon as its upstream stages have settled. */
  function advance(task: Task): void {
    if (awaitedStages(task.node).some((node) => tasks.get(node)!.phase !== 'settled')) return;
    const upstream = upstreamStages(task.node).map((node) => tasks.get(node)!);
    const lost = upstream.filter((one) => one.entry === undefined);
    if (lost.length > 0) {
      const made = upstream.length - lost.length;
      if (task.node.component.role !== 'report' || made === 0) {
        skip(task, causeOf(lost[0]!));
        return;
      }
      task.node = withMissing(task.node, missingCells());
    }
    if (task.node.gate && !task.admitted) {
      task.phase = 'resolving';
      work(passGate(task));
      return;
    }
    if (task.planned.entry && task.node === task.planned.node && !task.planned.reduced) {
      settle(task, { type: 'finished', origin: 'hit', entry: task.planned.entry });
      return;
    }
    task.phase = 'resolving';
    work(resolve(task));
  }

  /** Whether the stage runs is up to the results of others: it is stopped, or pending once more. */
  async function passGate(task: Task): Promise<void> {
    const { contest, point } = task.node.gate!;
    try {
      const standings = contests.get(contest) ?? judgeContest(contest, standingOf);
      contests.set(contest, standings);
      const standing = (await standings).get(point)!;
      task.admitted = standing.goesOn;
      if (standing.goesOn) task.phase = 'pending';
      else lose(task, contest, standing);
    } catch (error) {
      settle(task, { type: 'failed', failure: describeFailure(error), tail: [] });
    }
  }

  function standingOf(evaluation: StageNode): Entry | 'failed' | 'stopped' {
    const { entry, state } = tasks.get(evaluation)!;
    return entry ?? (state === 'stopped' ? 'stopped' : 'failed');
  }

  function lose(task: Task, contest: Contest, standing: Standing): void {
    task.phase = 'settled';
    task.state = 'stopped';
    task.stopped = { type: 'stage-stopped', stage: task.node.id, ...stopAt(contest, standing) };
    emit(task.stopped);
  }

  /** Names the stage by what its upstream stages really put out: that may be in the store already. */
  async function resolve(task: Task): Promise<void> {
    try {
      const { entry, ...located } = await locateStage(task.node, entryOf, { store, root });
      if (entry) {
        settle(task, { type: 'finished', origin: 'hit', entry });
        return;
      }
      task.attempt = { node: task.node, ...located, entryOf };
      task.phase = 'ready';
    } catch (error) {
      settle(task, { type: 'failed', failure: describeFailure(error), tail: [] });
    }
  }

  /** What a stage says of itself; else it takes as much memory as the most similar one that was measured here. */
  function resourcesOf({ node }: Task): { readonly resources: Resources } {
    const { kind, config, resources } = node.component;
    const memory = measured.memoryLike(kind, config);
    return { resources: { ...(memory === undefined ? {} : { memory }), ...resources } };
  }

  function startReady(): void {
    // Stages that are being looked up may start in a moment: the cores are shared when all of them are known.
    const all = [...tasks.values()];
    if (all.some((task) => task.phase === 'resolving')) return;
    const ready = all.filter((task) => task.phase === 'ready');
    ready.sort((a, b) => chains.get(b.planned.node)! - chains.get(a.planned.node)!);
    const candidates = [
      // Other runs may wait for the locks that these hold, so nothing overtakes them.
      ...queue.map(({ task, grant }) => ({ task, grant, holdsUp: true, ...resourcesOf(task) })),
      ...(stop.aborted ? [] : ready).map((task) => ({ task, grant: undefined, ...resourcesOf(task) })),
    ];
    for (const { candidate, claim } of chooseStarts(candidates, [...slots.values()], capacity)) {
      const { task, grant } = candidate;
      slots.set(task, claim);
      warnIfTooLarge(task, claim);
      if (grant) {
        queue.splice(
          queue.findIndex((waiting) => waiting.task === task),
          1,
        );
        grant(claim.threads);
        continue;
      }
      task.phase = 'active';
      work(run(task, claim.threads));
    }
  }

  function warnIfTooLarge(task: Task, claim: Claim): void {
    if (claim.memory <= capacity.memory || warned.has(task)) return;
    warned.add(task);
    const message = `it may take ${gib(claim.memory)} of memory, more than the ${gib(capacity.memory)} for stages here: it runs alone`;
    emit({ type: 'warning', stage: task.node.id, message });
  }

  async function run(task: Task, threads: number): Promise<void> {
    const slot: Slot = {
      release() {
        slots.delete(task);
        // Later, since this may be called from within `startReady`.
        queueMicrotask(pump);
      },
      acquire: () =>
        new Promise((grant) => {
          queue.push({ task, grant });
          queueMicrotask(pump);
        }),
    };
    const result = await attemptStage(task.attempt!, slot, threads, shop);
    slots.delete(task);
    settle(task, result);
  }

  function settle(
    task: Task,
    result: AttemptResult | { type: 'finished'; origin: 'hit'; entry: Entry },
  ): void {
    const stage = task.node.id;
    task.phase = 'settled';
    if (result.type === 'finished') {
      const { entry, origin } = result;
      task.entry = entry;
      task.state = origin;
      const { seconds } = entry.provenance;
      const { kind, config } = task.node.component;
      const took = origin === 'ran' ? recordedOf(kind, config, entry.provenance) : undefined;
      if (took) measured.add(took);
      const rate = imagesPerSecond(entry.provenance);
      emit({
        type: 'stage-finished',
        stage,
        origin,
        contentKey: entry.key,
        ...(typeof seconds === 'number' ? { seconds } : {}),
        ...(rate === undefined ? {} : { imagesPerSecond: rate }),
      });
    } else if (result.type === 'failed') {
      task.state = 'failed';
      emit({ type: 'stage-failed', stage, failure: result.failure, tail: result.tail });
      if (options.failFast && !stop.aborted) {
        emit({ type: 'run-stopping', because: stage });
        failing.abort(new Error(`${stage} failed`));
      }
    } else {
      task.state = 'interrupted';
      const { tail = [], saved } = result;
      emit({
        type: 'stage-interrupted',
        stage,
        ...(tail.length > 0 ? { tail } : {}),
        ...(saved ? { saved } : {}),
      });
    }
  }

  function skip(task: Task, cause: Task): void {
    task.phase = 'settled';
    if (cause.stopped) {
      task.state = 'stopped';
      task.stopped = { because: cause.node.id, ...cause.stopped, stage: task.node.id };
      emit(task.stopped);
      return;
    }
    task.state = 'skipped';
    emit({ type: 'stage-skipped', stage: task.node.id, because: cause.node.id });
  }

  /** The stage whose failure, or whose gate, is why this one has no result. */
  function causeOf(task: Task): Task {
    if (task.state !== 'skipped') return task;
    const lost = upstreamStages(task.node).map((node) => tasks.get(node)!);
    return causeOf(lost.find((one) => one.entry === undefined)!);
  }

  function entryOf(node: StageNode): Entry {
    return tasks.get(node)!.entry!;
  }

  function missingCells(): MissingCell[] {
    return plan.graph.cells.flatMap((place) => {
      const { variant, task, seed } = place;
      const cell = tasks.get(place.stage)!;
      if (cell.entry) return [];
      if (cell.stopped) return [stoppedCell(place, cell.stopped)];
      return [{ variant, task, seed, reason: `${causeOf(cell).node.id} failed` }];
    });
  }

  function work(promise: Promise<void>): void {
    busy += 1;
    promise.then(
      () => {
        busy -= 1;
        pump();
      },
      // A bug of the framework: it must end the run with its stack, not hang it.
      (bug) => giveUp(bug),
    );
  }

  stop.addEventListener('abort', pump, { once: true });
  pump();
  return finished.finally(() => stop.removeEventListener('abort', pump));
}

/** What the system, and other programs, keep for themselves. */
const reservedShare = 0.1;

/** MiB that stages may take together: most of what the machine has, or the container around us. */
function usableMemory(): number {
  // Without a container's limit it is 0, unknown, or a number beyond all memory.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return (Math.min(os.totalmem(), limit) * (1 - reservedShare)) / 2 ** 20;
}

function gib(mebibytes: number): string {
  return `${(mebibytes / 1024).toFixed(1)} GiB`;
}
