import type { RunLengths } from '../targets.ts';
import { checkRuns, type MaskSize } from './runs.ts';

/**
 * COCO's compressed run lengths (`rleToString` of maskApi.c): each count but the first three as the difference to the last
 * one but one, in groups of five bits, low ones first, as characters from `0` to `o`.
 */
export function textOfRuns({ counts }: RunLengths): string {
  let text = '';
  for (let run = 0; run < counts.length; run++) {
    let rest = counts[run] - (run > 2 ? counts[run - 2] : 0);
    while (true) {
      const bits = ((rest % 32) + 32) % 32;
      rest = Math.floor(rest / 32);
      const isLast = bits & 16 ? rest === -1 : rest === 0;
      text += String.fromCharCode(48 + (isLast ? bits : bits | 32));
      if (isLast) break;
    }
  }
  return text;
}

/** @throws RangeError if the text is no such runs, or runs of another size */
export function runsOfText(text: string, { height, width }: MaskSize): RunLengths {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let place = 1;
    while (true) {
      const bits = text.charCodeAt(at) - 48;
      if (!(bits >= 0 && bits < 64)) throw new RangeError(problemAt(text, at));
      at++;
      value += (bits & 31) * place;
      place *= 32;
      if (bits & 32) continue;
      if (bits & 16) value -= place;
      break;
    }
    const count = value + (counts.length > 2 ? counts[counts.length - 2] : 0);
    if (!(count >= 0 && count <= height * width))
      throw new RangeError(
        `a run of ${count} pixels isn't one of a mask of ${height}x${width}, ${height * width} pixels`,
      );
    counts.push(count);
  }
  const runs = { height, width, counts: Uint32Array.from(counts) };
  checkRuns(runs);
  return runs;
}

function problemAt(text: string, at: number): string {
  return at === text.length
    ? 'compressed run lengths end in the middle of a number'
    : `compressed run lengths have no character ${JSON.stringify(text[at])} (at ${at})`;
}
