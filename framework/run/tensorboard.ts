import { createHash } from 'node:crypto';
import path from 'node:path';
import { readMetrics } from '../plan/compare.ts';
import type { PlannedStage } from '../plan/plan.ts';
import type { StageNode } from '../plan/types.ts';
import { readHistory } from '../stage/history.ts';
import { EventFile } from './record/event-file.ts';
import { encodeScalar } from './record/tf-record.ts';

/**
 * Writes an event file for each stage that has a result with numbers: a stage is a run of TensorBoard, by its id: what it logged as
 * `<role>/<name>`, its result as `<role> result/<name>` at its last step. Where an event lies in time is when the stage ended:
 * histories have no times. Events that are there already, as a run leaves them, keep theirs. In an empty folder the same
 * results give the same bytes.
 *
 * @returns absolute paths of the files
 */
export async function writeTensorBoard(
  folder: string,
  stages: readonly Pick<PlannedStage, 'node' | 'entry'>[],
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const { node, entry } of stages) {
    const events = entry ? eventsOf(node.component.role, entry) : [];
    if (events.length === 0) continue;
    const file = await EventFile.open(runFolder(folder, node));
    await file.finish(events);
    files.push(file.path!);
  }
  return files;
}

/** The folder of a stage's events below that of all. */
export function runFolder(folder: string, { id }: Pick<StageNode, 'id'>): string {
  return path.join(folder, ...id.split('/').map(folderName));
}

/** All of a result, encoded. */
function eventsOf(
  role: string,
  { dir, provenance }: NonNullable<PlannedStage['entry']>,
): readonly Uint8Array[] {
  const { ended } = provenance;
  const seconds = typeof ended === 'string' ? Date.parse(ended) / 1000 : Number.NaN;
  const wallTime = Number.isFinite(seconds) ? seconds : 0;
  const rows = readHistory(dir);
  const logged = rows.flatMap((row, index) => eventsOfRow(row, index, { role, wallTime }));
  const last = rows.length === 0 ? 0 : stepOf(rows.at(-1)!, rows.length - 1);
  return [...logged, ...scalars(readMetrics({ dir }), last, { group: `${role} result`, wallTime })];
}

/** A line of a stage's history, as object. */
type Row = { readonly [name: string]: unknown };

/** What a stage logged at once, encoded; `index`: lines before it. `wallTime` is in seconds since 1970. */
export function eventsOfRow(
  row: Row,
  index: number,
  { role, wallTime }: { readonly role: string; readonly wallTime: number },
): readonly Uint8Array[] {
  const { step: _, ...values } = row;
  return scalars(values, stepOf(row, index), { group: role, wallTime });
}

function stepOf({ step }: Row, index: number): number {
  return Number.isSafeInteger(step) ? Number(step) : index;
}

/** What isn't finite is text in a history: it is shown as what it is. */
function scalars(
  values: Row,
  step: number,
  { group, wallTime }: { readonly group: string; readonly wallTime: number },
): Uint8Array[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const isNumber = typeof value === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(String(value));
    return isNumber ? [encodeScalar({ step, tag: `${group}/${name}`, value: Number(value) }, wallTime)] : [];
  });
}

/** A part of an id as the name of a folder: as it is where every file system has it, otherwise told apart by a digest. */
function folderName(part: string): string {
  if (/^[\w+=@-][\w.+=@-]{0,99}$/.test(part)) return part;
  const digest = createHash('sha256').update(part).digest('hex').slice(0, 8);
  return `${part.replaceAll(/[^\w+=@-]+/g, '-').slice(0, 60)}-${digest}`;
}
