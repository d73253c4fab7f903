import path from 'node:path';
import { naming } from '../files/files.ts';
import { findObstacle, makeFolders } from '../files/make-folders.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import type { Curve } from '../run/curve.ts';
import type { RunEvent, StageLogging, Warning } from '../run/record/events.ts';
import { resultsFolderName } from '../run/results-folder.ts';
import { formatError, isPecoError, PecoError } from '../stage/errors.ts';
import type { ContentKey } from '../stage/keys.ts';
import { type Release, readHolder, tryLock } from '../store/lock.ts';
import type { Store } from '../store/types.ts';
import { noPlaceFor, writingTo } from './no-place.ts';

const what = { what: 'event files', flag: 'tensorboard' };

/** @throws PecoError `invalid-settings` where no folder can be made that `--tensorboard` names */
export function checkEventsFolder(folder: string | undefined): void {
  const obstacle = folder === undefined ? undefined : findObstacle(folder);
  if (obstacle !== undefined) throw noPlaceFor({ ...what, folder: folder! }, obstacle);
}

/** The folder of an experiment's event files: below that of the flag one of its own, as its tables have it. */
export function eventsFolder(folder: string, { experiment, changes }: Plan['graph']): string {
  return path.resolve(folder, resultsFolderName(experiment, changes));
}

/**
 * Makes the folder of an experiment's event files and keeps other commands from writing there, since each knows what it
 * has written.
 *
 * @param folder that of the flag
 * @throws PecoError `invalid-settings` where it can't be written, `results-in-use` while another command writes there
 */
export async function reserveEvents(folder: string, { graph }: Pick<Plan, 'graph'>): Promise<Release> {
  const dir = eventsFolder(folder, graph);
  const file = path.join(dir, '.lock');
  const lock = () => naming(dir, tryLock(file));
  const release = await writingTo({ ...what, folder }, makeFolders(dir).then(lock));
  if (release) return release;
  const holder = readHolder(file);
  const by = holder ? `process ${holder.pid} on ${holder.host}` : 'another command';
  throw new PecoError(`${by} writes event files to ${dir}`, {
    code: 'results-in-use',
    hint: `choose another folder with --tensorboard, or wait; if that process is gone, remove ${file}`,
  });
}

/**
 * Writes event files for TensorBoard of those stages that have a result.
 *
 * @param folder that of the flag, reserved
 * @returns absolute paths
 * @throws PecoError `invalid-settings` where it can't be written
 */
export function writeEvents(
  folder: string,
  { graph }: Pick<Plan, 'graph'>,
  stages: readonly Pick<PlannedStage, 'node' | 'entry'>[],
): Promise<readonly string[]> {
  const write = async () => {
    // Late: most runs write none, and this takes forty modules.
    const { writeTensorBoard } = await import('../run/tensorboard.ts');
    return writeTensorBoard(eventsFolder(folder, graph), stages);
  };
  return writingTo({ ...what, folder }, write());
}

export interface EventWriterOptions {
  /** That of the flag. */
  readonly folder: string;
  readonly plan: Plan;
  readonly store: Store;
  /** Milliseconds between two looks at what stages have logged. */
  readonly every: number;
  /** Is called once at most: no run fails for its event files. */
  onProblem(problem: Omit<Warning, 'type'>): void;
}

/** A stage that runs, and where what it logs is. */
interface Followed {
  readonly curve: Curve;
  history: string;
}

/**
 * Writes event files beside a run: at once of stages that are stored, of those that run as their histories grow, and the
 * whole of each stage that has ended. One thing after the other, in the process that shows the run.
 */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #release: Release;
  readonly #stages: ReadonlyMap<string, PlannedStage>;
  readonly #files = new Map<string, string>();
  readonly #followed = new Map<string, Followed>();
  readonly #looking: NodeJS.Timeout;
  #last: Promise<void> = Promise.resolve();
  /** Things to do that are not done yet. */
  #left = 0;
  #failed = false;

  /** @throws as `reserveEvents` does */
  static async open(options: EventWriterOptions): Promise<EventWriter> {
    return new EventWriter(options, await reserveEvents(options.folder, options.plan));
  }

  private constructor(options: EventWriterOptions, release: Release) {
    this.#options = options;
    this.#release = release;
    this.#stages = new Map(options.plan.stages.map((stage) => [stage.node.id, stage]));
    for (const stage of options.plan.stages) if (stage.entry) this.#do(() => this.#keep(stage));
    this.#looking = setInterval(() => {
      if (this.#left === 0) this.#do(() => this.#look());
    }, options.every);
    this.#looking.unref();
  }

  /** Of all files. */
  get dir(): string {
    const { folder, plan } = this.#options;
    return eventsFolder(folder, plan.graph);
  }

  show(event: RunEvent): void {
    if (event.type === 'stage-logging') this.#do(() => this.#begin(event));
    if (event.type === 'stage-finished')
      this.#do(() => this.#finish(event.stage, event.contentKey as ContentKey));
    if (event.type === 'stage-failed' || event.type === 'stage-interrupted')
      this.#do(async () => void this.#followed.delete(event.stage));
  }

  /** Absolute paths of all files, once they are written. */
  async end(): Promise<readonly string[]> {
    clearInterval(this.#looking);
    await this.#last;
    await this.#release();
    return [...this.#files.values()];
  }

  #do(work: () => Promise<void>): void {
    this.#left += 1;
    this.#last = this.#last.then(async () => {
      if (!this.#failed)
        await writingTo({ ...what, folder: this.#options.folder }, work()).catch((error) =>
          this.#fail(error),
        );
      this.#left -= 1;
    });
  }

  #fail(error: unknown): void {
    this.#failed = true;
    clearInterval(this.#looking);
    const message = isPecoError(error) ? error.message : formatError(error);
    this.#options.onProblem({
      message: `${message}; the run goes on without them`,
      hint: 'once it has ended, `peco-exp report FILE --tensorboard DIR` writes all of them',
    });
  }

  async #begin({ stage, file }: StageLogging): Promise<void> {
    const node = this.#stages.get(stage)?.node;
    if (!node) return;
    const known = this.#followed.get(stage);
    if (known) known.history = file;
    else {
      const { Curve } = await import('../run/curve.ts');
      this.#followed.set(stage, { curve: new Curve(this.dir, node), history: file });
    }
    await this.#follow(stage);
  }

  async #look(): Promise<void> {
    for (const stage of this.#followed.keys()) await this.#follow(stage);
  }

  async #follow(stage: string): Promise<void> {
    const { curve, history } = this.#followed.get(stage)!;
    await curve.follow(history, Date.now() / 1000);
    if (curve.path !== undefined) this.#files.set(stage, curve.path);
  }

  async #finish(id: string, key: ContentKey): Promise<void> {
    this.#followed.delete(id);
    const stage = this.#stages.get(id);
    // One that was stored before is written already.
    if (!stage || stage.entry) return;
    const entry = await this.#options.store.lookup(key);
    if (entry) await this.#keep({ node: stage.node, entry });
  }

  async #keep(stage: Pick<PlannedStage, 'node' | 'entry'>): Promise<void> {
    const [file] = await writeEvents(this.#options.folder, this.#options.plan, [stage]);
    if (file !== undefined) this.#files.set(stage.node.id, file);
  }
}
