import fs from 'node:fs';
import path from 'node:path';
import { pointOf, type Ranking, rankingFile } from '../experiment/changes/selection.ts';
import { acceptsMissing, isReport } from '../stage/roles.ts';
import type { MissingCell } from '../stage/table.ts';
import type { Entry } from '../store/types.ts';
import { withoutCells } from './table.ts';
import type { After, StageNode } from './types.ts';
import { upstreamStages } from './walk.ts';

/** What is shown for a dropped point: rung, rank, score. */
export interface Drop {
  /** From 1, of `rungs`. */
  readonly rung: number;
  readonly rungs: number;
  readonly metric: string;
  /** How many of those that were compared went on. */
  readonly survivors: number;
  /** From 1. */
  readonly rank: number;
  /** Points that were compared. */
  readonly among: number;
  /** The mean over its seeds. Absent if one of them could not be measured. */
  readonly score?: number;
  /** How many seeds it is the mean of; absent: it is the measure of one. */
  readonly seeds?: number;
}

/** Why a stage has no result and won't get one. */
export interface Loss {
  /** The stage that failed, or whose point was dropped: this one, or one that it needs. */
  readonly at: StageNode;
  /** Absent: it failed. */
  readonly drop?: Drop;
}

/** What is known of other stages when the fate of one is asked for. */
export interface Known {
  lossOf(stage: StageNode): Loss | undefined;
  /** Undefined while a selection has no result. */
  rankingOf(selection: StageNode): Ranking | undefined;
}

/** The stage as it runs, or why it doesn't. */
export type Fate = { readonly node: StageNode } | { readonly loss: Loss };

/**
 * What becomes of a stage whose upstream stages have settled, in a plan or in a run. Reports and selections run without
 * the inputs that are lost, as long as one is left; every other stage is lost with the first of them, or if a selection
 * doesn't list its point among the survivors.
 */
export function fateOf(node: StageNode, known: Known): Fate {
  const upstream = neededStages(node);
  const losses = new Map(upstream.flatMap((one) => entryIf(one, known.lossOf(one))));
  const [first] = losses.values();
  if (first) {
    const without = losses.size < upstream.length ? withoutInputs(node, losses, known) : undefined;
    return without ? { node: without } : { loss: first };
  }
  const ranking = node.after && known.rankingOf(node.after.selection);
  const drop = ranking && dropOf(node.after, ranking);
  return drop ? { loss: { at: node, drop } } : { node };
}

/** The stage without lost inputs, where it says in its config which are missing; undefined for one that needs all. */
function withoutInputs(
  node: StageNode,
  losses: ReadonlyMap<StageNode, Loss>,
  known: Known,
): StageNode | undefined {
  if (!acceptsMissing(node.component)) return undefined;
  const lost = new Map(
    Object.entries(node.inputs).flatMap(([name, edge]) =>
      edge.type === 'stage' ? entryIf(name, losses.get(edge.stage)) : [],
    ),
  );
  if (isReport(node.component)) return withoutCells(node, (input) => explain(lost.get(input)));
  const inputs = Object.fromEntries(Object.entries(node.inputs).filter(([name]) => !lost.has(name)));
  // A point that failed in a rung before has its place there, and is not compared again.
  const before = node.rung?.previous && known.rankingOf(node.rung.previous);
  const ended = new Set(before?.places.flatMap(({ point, survives }) => (survives ? [] : [point])));
  const failed = [...lost].flatMap(([name, { drop }]) => (drop || ended.has(pointOf(name)) ? [] : [name]));
  const config = { ...node.component.config, ...(failed.length > 0 ? { failed: failed.sort() } : {}) };
  return { ...node, inputs, component: { ...node.component, config } };
}

function explain(loss: Loss | undefined): Pick<MissingCell, 'reason' | 'dropped'> | undefined {
  if (loss?.drop) return { reason: describeDrop(loss.drop), dropped: true };
  return loss && { reason: `${loss.at.id} failed` };
}

/** Upstream stages, and of a stage that a selection lets pass those that measured its point: it needs them, too. */
function neededStages(node: StageNode): readonly StageNode[] {
  const { after } = node;
  if (!after) return upstreamStages(node);
  const measures = Object.entries(after.selection.inputs).flatMap(([name, edge]) =>
    edge.type === 'stage' && pointOf(name) === after.point ? [edge.stage] : [],
  );
  const upstream = upstreamStages(node).filter((one) => one !== after.selection);
  return [...new Set([...upstream, ...measures, after.selection])];
}

function dropOf({ selection, point }: After, ranking: Ranking): Drop | undefined {
  const place = ranking.places.find((one) => one.point === point);
  if (!place || place.survives) return undefined;
  const { point: _ours, survives: _no, ...standing } = place;
  const { number: rung, of: rungs } = selection.rung!;
  const { metric, survivors, places } = ranking;
  return { rung, rungs, metric, survivors, among: places.length, ...standing };
}

/** `dropped at rung 1 of 3: psnr 14.21 (mean of 2 seeds), 7th of 9, best 3 went on` */
export function describeDrop({ rung, rungs, metric, score, seeds, rank, among, survivors }: Drop): string {
  const mean = seeds === undefined ? '' : ` (mean of ${seeds} seeds)`;
  const measure = score === undefined ? `no ${metric}` : `${metric} ${Number(score.toPrecision(4))}${mean}`;
  const best = survivors === 1 ? 'the best went on' : `best ${survivors} went on`;
  return `dropped at rung ${rung} of ${rungs}: ${measure}, ${ordinal(rank)} of ${among}, ${best}`;
}

/** The ranking that a selection wrote; undefined for the result of any other stage. */
export function readRanking(node: StageNode, entry: Pick<Entry, 'dir'>): Ranking | undefined {
  if (!node.rung) return undefined;
  return JSON.parse(fs.readFileSync(path.join(entry.dir, rankingFile), 'utf8')) as Ranking;
}

function ordinal(rank: number): string {
  const teen = Math.floor(rank / 10) % 10 === 1;
  const ending = teen ? 'th' : (['th', 'st', 'nd', 'rd'][rank % 10] ?? 'th');
  return `${rank}${ending}`;
}

function entryIf<K, V>(key: K, value: V | undefined): [K, V][] {
  return value === undefined ? [] : [[key, value]];
}
