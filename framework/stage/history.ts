import fs from 'node:fs';
import path from 'node:path';
import type { JsonObject } from './json.ts';

/** What a stage logged (`StageContext.log`), among its outputs; no file where it logged nothing. */
export const historyFile = 'metrics.jsonl';

/**
 * What a stage logged, one object a line, oldest first; none if it logged nothing. What isn't finite is text: `NaN`.
 *
 * @param dir folder of its outputs
 */
export function readHistory(dir: string): readonly JsonObject[] {
  const file = path.join(dir, historyFile);
  if (!fs.existsSync(file)) return [];
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JsonObject);
}
