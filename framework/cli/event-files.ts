import path from 'node:path';
import { findObstacle } from '../files/make-folders.ts';
import type { Plan, PlannedStage } from '../plan/plan.ts';
import type { StageFinished } from '../run/record/events.ts';
import { resultsFolderName } from '../run/results-folder.ts';
import { formatError } from '../stage/errors.ts';
import type { ContentKey } from '../stage/keys.ts';
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
 * Writes event files for TensorBoard of those stages that have a result.
 *
 * @param folder that of the flag
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
  /** Is called once at most: no run fails for its event files. */
  onProblem(message: string): void;
}

/** Writes the event file of each stage when the stage has its result, one after the other. */
export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #files: string[] = [];
  #last: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(options: EventWriterOptions) {
    this.#options = options;
  }

  /** Of all files. */
  get dir(): string {
    const { folder, plan } = this.#options;
    return eventsFolder(folder, plan.graph);
  }

  stageFinished({ stage, contentKey }: StageFinished): void {
    this.#last = this.#last.then(() => this.#write(stage, contentKey as ContentKey));
  }

  /** Absolute paths of all files, once they are written. */
  async end(): Promise<readonly string[]> {
    await this.#last;
    return this.#files;
  }

  async #write(stage: string, key: ContentKey): Promise<void> {
    if (this.#failed) return;
    const { folder, plan, store, onProblem } = this.#options;
    const node = plan.graph.stages.find(({ id }) => id === stage);
    try {
      const entry = await store.lookup(key);
      if (node && entry) this.#files.push(...(await writeEvents(folder, plan, [{ node, entry }])));
    } catch (error) {
      this.#failed = true;
      onProblem(formatError(error));
    }
  }
}
