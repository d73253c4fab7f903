import { setMaxListeners } from 'node:events';
import { bundleImplementation } from '../code/code.ts';
import { type Loss, readRanking } from '../plan/fate.ts';
import { findChangedInputs, locateStage } from '../plan/locate.ts';
import { createMeasured, type Measured, recordedOf } from '../plan/past-stages.ts';
import type { Plan } from '../plan/plan.ts';
import type { StageNode } from '../plan/types.ts';
import type { Resources } from '../stage/component.ts';
import type { ContentKey } from '../stage/keys.ts';
import type { Entry } from '../store/types.ts';
import { type AttemptResult, attemptStage, describeFailure, type Slot, type Workshop } from './attempt.ts';
import { type Capacity, type Claim, capacityOf } from './capacity.ts';
import { realTimer } from './limit.ts';
import type { RunOptions } from './options.ts';
import type { Emit, Origin, StageFailed } from './record/events.ts';
import { finishedEvent, lostEvent } from './record/finished.ts';
import { createProvenanceWriter } from './record/provenance.ts';
import { type Action, next, type Task, Tasks } from './tasks.ts';

/** Brings every stage to its end. Resolves when nothing runs and nothing more can start. */
export function settleStages(plan: Plan, options: RunOptions, emit: Emit): Promise<readonly Task[]> {
  return new Driver(plan, options, emit).settleAll();
}

type Result = AttemptResult | { readonly type: 'finished'; readonly origin: 'hit'; readonly entry: Entry };

/** Does what `next` says, and asks again whenever something has ended. */
class Driver {
  readonly #tasks: Tasks;
  readonly #options: RunOptions;
  readonly #emit: Emit;
  readonly #capacity: Capacity;
  readonly #measured: Measured;
  readonly #shop: Workshop;
  readonly #failing = new AbortController();
  readonly #stop: AbortSignal;
  /** Attempts that are queued, or will be. */
  readonly #grants = new Map<Task, (threads: number) => void>();
  readonly #warned = new Set<Task>();
  #busy = 0;
  #finish!: () => void;
  #giveUp!: (bug: unknown) => void;

  constructor(plan: Plan, options: RunOptions, emit: Emit) {
    this.#tasks = new Tasks(plan);
    this.#options = options;
    this.#emit = emit;
    this.#capacity = capacityOf(options);
    this.#measured = createMeasured(options.recorded ?? []);
    this.#stop = AbortSignal.any([options.stop, this.#failing.signal]);
    // As many listen as there are stages that run or wait for locks; Node would warn of a leak from 11 up.
    setMaxListeners(0, this.#stop, options.kill);
    this.#shop = openWorkshop(options, this.#stop, emit);
  }

  async settleAll(): Promise<readonly Task[]> {
    const finished = new Promise<void>((resolve, reject) => {
      this.#finish = resolve;
      this.#giveUp = reject;
    });
    const advance = () => this.#advance();
    this.#stop.addEventListener('abort', advance, { once: true });
    this.#advance();
    await finished.finally(() => this.#stop.removeEventListener('abort', advance));
    return this.#tasks.all;
  }

  #advance(): void {
    const circumstances = {
      capacity: this.#capacity,
      stopping: this.#stop.aborted,
      resourcesOf: (task: Task) => this.#resourcesOf(task),
    };
    for (;;) {
      const actions = next(this.#tasks, circumstances);
      for (const action of actions) this.#perform(action);
      if (actions.length === 0) break;
    }
    if (this.#busy === 0) this.#finish();
  }

  #perform(action: Action): void {
    const { task } = action;
    switch (action.type) {
      case 'lose':
        this.#lose(task, action.loss);
        break;
      case 'reuse':
        this.#settle(task, { type: 'finished', origin: 'hit', entry: action.entry });
        break;
      case 'look':
        task.node = action.node;
        this.#tasks.move(task, 'looking');
        this.#work(this.#look(task));
        break;
      case 'start':
        this.#start(task, action.claim);
        break;
    }
  }

  /** Names the stage by the outputs that its upstream stages have now: its result may be in the store already. */
  async #look(task: Task): Promise<void> {
    const entryOf = (node: StageNode) => this.#tasks.of(node).entry!;
    try {
      const { entry, ...located } = await locateStage(task.node, entryOf, this.#options);
      if (entry) return this.#settle(task, { type: 'finished', origin: 'hit', entry });
      if (this.#options.others?.has(task.planned.node))
        return await this.#lookElsewhere(task, located.contentKey);
      task.attempt = { node: task.node, ...located, entryOf };
      this.#tasks.move(task, 'ready');
    } catch (error) {
      this.#fail(task, { failure: describeFailure(error), tail: [] });
    }
  }

  /** A stage that another process makes: what isn't there won't be. */
  async #lookElsewhere(task: Task, key: ContentKey): Promise<void> {
    const others = this.#options.others!;
    const entry = await others.find(task.planned.node, key);
    if (entry) this.#settle(task, { type: 'finished', origin: 'hit', entry });
    else this.#fail(task, await others.failureOf(task.planned.node));
  }

  /** What a stage says of itself; else it takes as much memory as the most similar one that was measured here. */
  #resourcesOf({ node, planned }: Task): Resources {
    const { config, resources } = node.component;
    const memory = this.#measured.memoryLike(planned.fingerprint.kind, config);
    return { ...(memory === undefined ? {} : { memory }), ...resources };
  }

  #start(task: Task, claim: Claim): void {
    this.#warnIfTooLarge(task, claim);
    this.#tasks.move(task, 'running');
    task.claim = claim;
    const grant = this.#grants.get(task);
    this.#grants.delete(task);
    if (grant) grant(claim.threads);
    else this.#work(this.#attempt(task, claim.threads));
  }

  #warnIfTooLarge(task: Task, claim: Claim): void {
    if (claim.memory <= this.#capacity.memory || this.#warned.has(task)) return;
    this.#warned.add(task);
    const [needed, there] = [gib(claim.memory), gib(this.#capacity.memory)];
    const message = `it may take ${needed} of memory, more than the ${there} for stages here: it runs alone`;
    this.#emit({ type: 'warning', stage: task.node.id, message });
  }

  async #attempt(task: Task, threads: number): Promise<void> {
    // Later, since these may be called from within `#advance`.
    const advance = () => queueMicrotask(() => this.#advance());
    const slot: Slot = {
      release: () => {
        this.#tasks.move(task, 'waiting');
        advance();
      },
      acquire: () =>
        new Promise((grant) => {
          this.#grants.set(task, grant);
          this.#tasks.move(task, 'queued');
          advance();
        }),
    };
    this.#settle(task, await attemptStage(task.attempt!, slot, threads, this.#shop));
  }

  #settle(task: Task, result: Result): void {
    const stage = task.node.id;
    if (result.type === 'failed') this.#fail(task, result);
    else if (result.type === 'interrupted') {
      const { tail = [], saved } = result;
      this.#tasks.settle(task, 'interrupted', { at: task.node });
      const more = { ...(tail.length > 0 ? { tail } : {}), ...(saved ? { saved } : {}) };
      this.#emit({ type: 'stage-interrupted', stage, ...more });
    } else this.#succeed(task, result.origin, result.entry);
  }

  #succeed(task: Task, origin: Origin, entry: Entry): void {
    try {
      const ranking = readRanking(task.node, entry);
      if (ranking) task.ranking = ranking;
    } catch (error) {
      this.#fail(task, { failure: describeFailure(error), tail: [] });
      return;
    }
    this.#tasks.settle(task, origin, entry);
    const { kind } = task.planned.fingerprint;
    const took = origin === 'ran' ? recordedOf(kind, entry.provenance) : undefined;
    if (took) this.#measured.add(took);
    this.#emit(finishedEvent(task.node.id, origin, entry));
  }

  #fail(task: Task, { failure, tail }: Pick<StageFailed, 'failure' | 'tail'>): void {
    const stage = task.node.id;
    this.#tasks.settle(task, 'failed', { at: task.node });
    this.#emit({ type: 'stage-failed', stage, failure, tail });
    if (!this.#options.failFast || this.#stop.aborted) return;
    this.#emit({ type: 'run-stopping', because: stage });
    this.#failing.abort(new Error(`${stage} failed`));
  }

  #lose(task: Task, loss: Loss): void {
    this.#tasks.settle(task, loss.drop ? 'dropped' : 'skipped', loss);
    this.#emit(lostEvent(task.node.id, loss));
  }

  #work(promise: Promise<void>): void {
    this.#busy += 1;
    promise.then(
      () => {
        this.#busy -= 1;
        this.#advance();
      },
      // A bug of the framework: it must end the run with its stack, not hang it.
      (bug) => this.#giveUp(bug),
    );
  }
}

function openWorkshop(options: RunOptions, stop: AbortSignal, emit: Emit): Workshop {
  const { store, engine, executor, kill, retries = 1, timeout, timer = realTimer } = options;
  return {
    store,
    engine,
    executor,
    bundleModule: (url) => bundleImplementation(url, options),
    findChangedInputs: (attempt) => findChangedInputs(attempt.node, attempt, attempt.entryOf, options),
    writeProvenance: createProvenanceWriter(options),
    stop,
    kill,
    retries,
    ...(timeout === undefined ? {} : { timeout }),
    timer,
    emit,
  };
}

function gib(mebibytes: number): string {
  return `${(mebibytes / 1024).toFixed(1)} GiB`;
}
