import { createHash } from 'node:crypto';
import path from 'node:path';
import { readMetrics } from '../plan/compare.ts';
import type { PlannedStage } from '../plan/plan.ts';
import { readHistory } from '../stage/history.ts';
import { formatEvents, type ScalarEvent } from './record/tf-record.ts';
import { writeIfDifferent } from './write-results.ts';

/** TensorBoard reads every file whose name has `tfevents` in it. */
const fileName = 'events.out.tfevents.peco-exp';

/**
 * Writes an event file for each stage that has a result with numbers: a stage is a run of TensorBoard, by its id: what it logged as
 * `<role>/<name>`, its result as `<role> result/<name>` at its last step. Where an event lies in time is when the stage ended:
 * histories have no times. The same results give the same bytes.
 *
 * @returns absolute paths of the files
 */
export async function writeTensorBoard(
  folder: string,
  stages: readonly Pick<PlannedStage, 'node' | 'entry'>[],
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const { node, entry } of stages) {
    if (!entry) continue;
    const events = eventsOf(node.component.role, entry.dir);
    if (events.length === 0) continue;
    const file = path.join(folder, ...node.id.split('/').map(folderName), fileName);
    const { ended } = entry.provenance;
    const seconds = typeof ended === 'string' ? Date.parse(ended) / 1000 : Number.NaN;
    await writeIfDifferent(file, formatEvents(events, Number.isFinite(seconds) ? seconds : 0));
    files.push(file);
  }
  return files;
}

function eventsOf(role: string, dir: string): readonly ScalarEvent[] {
  const rows = readHistory(dir);
  const steps = rows.map(({ step }, index) => (Number.isSafeInteger(step) ? Number(step) : index));
  const logged = rows.flatMap(({ step: _, ...row }, index) => scalars(row, role, steps[index]!));
  return [...logged, ...scalars(readMetrics({ dir }), `${role} result`, steps.at(-1) ?? 0)];
}

/** What isn't finite is text in a history: it is shown as what it is. */
function scalars(row: { readonly [name: string]: unknown }, group: string, step: number): ScalarEvent[] {
  return Object.entries(row).flatMap(([name, value]) => {
    const isNumber = typeof value === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(String(value));
    return isNumber ? [{ step, tag: `${group}/${name}`, value: Number(value) }] : [];
  });
}

/** A part of an id as the name of a folder: as it is where every file system has it, otherwise told apart by a digest. */
function folderName(part: string): string {
  if (/^[\w+=@-][\w.+=@-]{0,99}$/.test(part)) return part;
  const digest = createHash('sha256').update(part).digest('hex').slice(0, 8);
  return `${part.replaceAll(/[^\w+=@-]+/g, '-').slice(0, 60)}-${digest}`;
}
