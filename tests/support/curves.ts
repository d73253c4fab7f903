import fs from 'node:fs';
import { encodeScalar, isSameEvent, parseRecords } from '../../framework/run/record/tf-record.ts';

export type Point = readonly [tag: string, step: number, value: number];

/** What a stage of the rig logs, as points of TensorBoard. */
export function loggedPoints(role: string): readonly Point[] {
  return [1, 2, 3].map((step) => [`${role}/loss`, step, 1 / step] as const);
}

/** Whether an event file of TensorBoard has these points and no others, as far as it is whole. */
export function isCurve(file: string, points: readonly Point[]): boolean {
  if (!fs.existsSync(file)) return false;
  const { events } = parseRecords(fs.readFileSync(file));
  const wanted = points.map(([tag, step, value]) => encodeScalar({ tag, step, value }, 0));
  return (
    events.length === wanted.length && events.every((event, index) => isSameEvent(event, wanted[index]!))
  );
}
