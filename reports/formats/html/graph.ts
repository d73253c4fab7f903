import { formatElapsed } from '../../../framework/stage/duration.ts';
import type { FullReport } from '../../report.ts';
import type { Family } from './families.ts';
import { text } from './markup.ts';

/** Pixels. */
const box = { width: 224, height: 42, gapX: 56, gapY: 12, margin: 8 };
const longestLabel = 27;

/** How the results of a family came to be: `last` in the newest run that made any, `earlier` before, or not. */
export type State = 'last' | 'earlier' | 'missing' | 'dropped';

export function stateOf(stages: FullReport['stages'], last: string | undefined): State {
  if (stages.some(({ result }) => result === undefined))
    return stages.every(({ result, dropped }) => result || dropped) ? 'dropped' : 'missing';
  return stages.some(({ result }) => result?.provenance.run === last) ? 'last' : 'earlier';
}

/** The newest run that made a result: ids of runs begin with their time. */
export function lastRun(stages: FullReport['stages']): string | undefined {
  const runs = stages.flatMap(({ result }) => {
    const run = result?.provenance.run;
    return typeof run === 'string' ? [run] : [];
  });
  return runs.sort().at(-1);
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** The stages and what they wait for, as SVG: each family right of those that it needs. */
export function graphSvg(families: readonly Family[], last: string | undefined): string {
  const places = placesOf(families);
  const width = Math.max(...places.map(({ x }) => x)) + box.width + box.margin;
  const height = Math.max(...places.map(({ y }) => y)) + box.height + box.margin;
  const edges = families.flatMap(({ needs }, to) => needs.map((from) => edgeSvg(places[from], places[to])));
  const boxes = families.map((family, index) => boxSvg(family, places[index], index, last));
  return `<svg class="graph" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-label="Stages and what they wait for">
<g class="edges" aria-hidden="true">${edges.join('')}</g>
${boxes.join('\n')}
</svg>`;
}

/** Columns by the longest way from a stage that needs none; in a column, by the middle of what is needed. */
function placesOf(families: readonly Family[]): readonly Place[] {
  const depths: number[] = [];
  for (const { needs } of families) depths.push(Math.max(-1, ...needs.map((need) => depths[need])) + 1);
  const rows: number[] = families.map(() => 0);
  const columns = Math.max(...depths) + 1;
  for (let column = 0; column < columns; column++) {
    const members = [...families.keys()].filter((index) => depths[index] === column);
    const middle = (index: number) => {
      const { needs } = families[index];
      return needs.reduce((sum, need) => sum + rows[need], 0) / Math.max(1, needs.length);
    };
    members.sort((a, b) => middle(a) - middle(b) || a - b);
    for (const [row, index] of members.entries()) rows[index] = row;
  }
  return families.map((_, index) => ({
    x: box.margin + depths[index] * (box.width + box.gapX),
    y: box.margin + rows[index] * (box.height + box.gapY),
  }));
}

function edgeSvg(from: Place, to: Place): string {
  const [x1, y1] = [from.x + box.width, from.y + box.height / 2];
  const [x2, y2] = [to.x, to.y + box.height / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  return `<path d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}"/>`;
}

function boxSvg({ id, stages }: Family, { x, y }: Place, index: number, last: string | undefined): string {
  const state = stateOf(stages, last);
  const seconds = stages.reduce((sum, { result }) => sum + numberOf(result?.provenance.seconds), 0);
  const made = stages.filter(({ result }) => result).length;
  const count = stages.length === 1 ? '' : ` · ${made} of ${stages.length} seeds`;
  const about = `${made === 0 ? state : formatElapsed(seconds)}${count}`;
  return `<a href="#stage-${index}" class="${state}"><title>${text(`${id}, ${stages[0].kind}: ${about}`)}</title><rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="6"/><text x="${x + 10}" y="${y + 18}">${text(cut(id))}</text><text class="about" x="${x + 10}" y="${y + 34}">${text(about)}</text></a>`;
}

/** In the middle, where names differ least. */
function cut(label: string): string {
  const characters = [...label];
  if (characters.length <= longestLabel) return label;
  const half = Math.floor((longestLabel - 1) / 2);
  return `${characters.slice(0, half).join('')}…${characters.slice(-half).join('')}`;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
