import type { Estimate } from '../../plan/estimate.ts';
import type { StageNode } from '../../plan/types.ts';
import { type Costs, countFlops } from '../../stage/costs.ts';
import { nameOf } from './fold.ts';
import { formatBytes, formatLong } from './format.ts';

/** Stages that compute the same, such as those of several seeds. */
interface Group {
  readonly nodes: StageNode[];
  readonly costs: Costs;
  readonly seconds: number | undefined;
}

const titles = ['stages', 'parameters', 'FLOPs/image', 'images', 'memory', 'each'] as const;
/** Where a terminal is narrow. */
const shortTitles = ['stages', 'params', 'FLOPs/img', 'images', 'memory', 'each'] as const;

/** A line for all stages that compute the same; nothing if no stage says what it does. */
export function formatCosts(estimate: Estimate, columns = Number.POSITIVE_INFINITY): string[] {
  const groups = groupsOf(estimate);
  if (groups.length === 0) return [];
  const rows = groups.map(({ nodes, costs, seconds }) => [
    nameOf(nodes),
    ...cellsOf(nodes.length, costs, seconds),
  ]);
  const wide = align(['what they compute', ...titles], rows);
  if (wide.every((line) => line.length <= columns)) return wide;
  const narrow = align(['what they compute', ...shortTitles], rows);
  const over = Math.max(...narrow.map((line) => line.length)) - columns;
  if (over <= 0) return narrow;
  const widest = Math.max(...rows.map(([name]) => name!.length));
  const cut = rows.map(([name, ...cells]) => [shorten(name!, Math.max(12, widest - over)), ...cells]);
  return align(['they compute', ...shortTitles], cut);
}

/** Which of them take more memory than there is, in bytes. */
export function formatTooLarge(estimate: Estimate, memory: number | undefined): string[] {
  if (memory === undefined) return [];
  return groupsOf(estimate).flatMap(({ nodes, costs }) => {
    if (costs.memory === undefined || costs.memory <= memory) return [];
    const [needed, there] = [formatBytes(costs.memory), formatBytes(memory)];
    return [`${nameOf(nodes)} takes about ${needed} of memory, more than the ${there} for stages here`];
  });
}

function cellsOf(stages: number, costs: Costs, seconds: number | undefined): string[] {
  const { parameters, flops, images, memory } = costs;
  return [
    String(stages),
    show(parameters, formatCount),
    show(flops && countFlops(flops), formatCount),
    show(images, formatCount),
    show(memory, formatBytes),
    show(seconds, (value) => `~${formatLong(value)}`),
  ];
}

function show(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '?' : format(value);
}

/** `740`, `12.3 k`, `92.0 M`, `1.02 G`: three digits, powers of 1000. */
export function formatCount(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P', ' E'];
  let rest = value;
  let unit = 0;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  if (unit === 0) return String(Math.round(rest));
  return `${rest.toFixed(rest < 9.995 ? 2 : rest < 99.95 ? 1 : 0)}${units[unit]}`;
}

function groupsOf({ costs, stages }: Estimate): Group[] {
  const groups = new Map<string, Group>();
  for (const [node, own] of costs) {
    if (Object.keys(own).length === 0) continue;
    const seconds = stages.get(node);
    const { role, kind } = node.component;
    const name = JSON.stringify([role, kind, own, seconds && Math.round(seconds)]);
    const group = groups.get(name) ?? { nodes: [], costs: own, seconds };
    group.nodes.push(node);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** Numbers to the right. */
function align(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const [title, ...titles] = head;
  const lines = [[title!, ...titles], ...rows.map(([name, ...cells]) => [`  ${name}`, ...cells])];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
