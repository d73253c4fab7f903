import { formatElapsed } from '../../../framework/stage/duration.ts';
import type { JsonObject } from '../../../framework/stage/json.ts';
import { shellWord } from '../../../framework/stage/shell.ts';
import type { FullReport } from '../../report.ts';
import type { Family } from './families.ts';
import { graphSvg, lastRun, type State, stateOf } from './graph.ts';
import { name, short, text } from './markup.ts';

type Stage = FullReport['stages'][number];

/** With more stages than these the graph and the table scroll in themselves, so that what follows stays near. */
const manyStages = 100;

/** The graph of stages, and what each cost. */
export function stagesHtml(families: readonly Family[], stages: FullReport['stages']): string {
  const last = lastRun(stages);
  const rows = families.flatMap((family, index) =>
    family.stages.map((stage, at) => rowHtml(stage, at === 0 ? `stage-${index}` : undefined, last)),
  );
  const wide = stages.length > manyStages ? 'wide long' : 'wide';
  const seconds = stages.reduce((sum, { result }) => sum + (numberOf(result?.provenance.seconds) ?? 0), 0);
  return `<p>Each box is a stage of all seeds, and leads to its line below. Time is wall time of the stages, added up.</p>
<ul class="states">
${statesHtml(families, last)}
</ul>
<div class="${wide}" role="region" aria-label="Graph of stages" tabindex="0">
${graphSvg(families, last)}
</div>
<h3>Cost of every stage</h3>
<div class="${wide}" role="region" aria-label="Cost of every stage" tabindex="0">
<table class="sortable costs">
<caption class="unseen">A row a stage</caption>
<thead><tr><th scope="col">stage</th><th scope="col">kind</th><th scope="col">result</th>${numbers
    .map(({ title }) => `<th scope="col" class="number">${title}</th>`)
    .join('')}<th scope="col">engine</th><th scope="col">made (UTC)</th><th scope="col">key</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
<tfoot><tr><th scope="row">all</th><td></td><td></td><td class="number">${formatElapsed(seconds)}</td><td colspan="8"></td></tr></tfoot>
</table>
</div>`;
}

/** What the colours of the graph mean, of those that are in it. */
function statesHtml(families: readonly Family[], last: string | undefined): string {
  const states = new Set(families.map(({ stages }) => stateOf(stages, last)));
  const words = {
    last: `made by the last run that made any${last === undefined ? '' : ` (${text(last)})`}`,
    earlier: 'stored before',
    missing: 'no result',
    dropped: 'dropped by halving',
  };
  const shown = (Object.keys(words) as State[]).filter((state) => states.has(state));
  return shown.map((state) => `<li class="${state}">${words[state]}</li>`).join('');
}

/** Columns of numbers: how each is found, and shown. */
const numbers: readonly {
  readonly title: string;
  readonly of: (provenance: JsonObject) => number | undefined;
  readonly show: (value: number) => string;
}[] = [
  { title: 'time', of: ({ seconds }) => numberOf(seconds), show: formatElapsed },
  {
    title: 'images/s',
    of: ({ images, seconds }) => {
      const [many, time] = [numberOf(images), numberOf(seconds)];
      return many && time ? many / time : undefined;
    },
    show: short,
  },
  { title: 'memory', of: ({ peakMemory }) => numberOf(peakMemory), show: (mebibytes) => `${mebibytes} MiB` },
  { title: 'parameters', of: ({ costs }) => costOf(costs, 'parameters'), show: short },
  {
    title: 'FLOPs an image',
    of: ({ costs }) => {
      const [dense, conv] = [costOf(costs, 'denseFlops'), costOf(costs, 'convFlops')];
      return dense === undefined || conv === undefined ? undefined : dense + conv;
    },
    show: short,
  },
  { title: 'threads', of: ({ threads }) => numberOf(threads), show: String },
];

function rowHtml(stage: Stage, id: string | undefined, last: string | undefined): string {
  const { result, missing } = stage;
  const provenance = result?.provenance ?? {};
  const state = stateOf([stage], last);
  const words = {
    last: 'last run',
    earlier: 'stored before',
    missing: missing ?? '',
    dropped: missing ?? '',
  };
  const fields = numbers.map(({ of, show }) => {
    const value = result ? of(provenance) : undefined;
    return `<td class="number" data-sort="${value ?? ''}">${value === undefined ? '' : text(show(value))}</td>`;
  });
  const made = typeof provenance.started === 'string' ? provenance.started : '';
  return `<tr${id === undefined ? '' : ` id="${id}"`}><th scope="row" data-sort="${text(stage.id)}">${name(stage.id)}</th><td>${name(stage.kind)}</td><td class="${state}">${text(words[state])}</td>${fields.join('')}<td>${text(String(provenance.engine ?? ''))}</td><td data-sort="${text(made)}">${text(timeText(made, 'minutes'))}</td><td><code>${text(result?.key.slice(0, 12) ?? '')}</code></td></tr>`;
}

/** The config of every stage, as it was run. */
export function settingsHtml(families: readonly Family[]): string {
  return families
    .map(({ id, stages }) => {
      const [first] = stages;
      const config = JSON.stringify(configOf(stages), null, 2).split('\n').map(text).join('\n');
      const seeds = stages.length > 1 ? `, seeds ${stages.map(({ seed }) => seed).join(', ')}` : '';
      return `<details><summary>${name(id)} <small>${name(first.kind)}${seeds}</small></summary><pre tabindex="0">${config}</pre></details>`;
    })
    .join('\n');
}

/** Without the seed, where there are several: it is all in which they differ. */
function configOf([first, ...others]: readonly Stage[]): JsonObject {
  const { seed, ...rest } = first.config;
  return others.length > 0 && seed === first.seed ? rest : first.config;
}

/** What made the results, and what makes them again. */
export function provenanceHtml({ stages, command, version }: FullReport): string {
  const made = stages.flatMap(({ result }) => (result ? [result.provenance] : []));
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ['peco-exp', distinct([...made.map(({ version: own }) => own), version])],
    ['Commits', distinct(made.map(({ git }) => commitOf(git)))],
    ['Engines', distinct(made.map(({ engineDescription }) => engineDescription))],
    ['Machines', distinct(made.map(({ host }) => hostOf(host)))],
    ['Runs', distinct(made.map(({ run }) => run))],
    ['Jobs of Slurm', jobsOf(made)],
    ['First stage began', timesOf(made, 'started').slice(0, 1)],
    ['Last stage ended', timesOf(made, 'ended').slice(-1)],
  ];
  const items = lines.flatMap(([title, values]) =>
    values.length === 0
      ? []
      : [`<dt>${title}</dt>${values.map((value) => `<dd>${name(value)}</dd>`).join('')}`],
  );
  return `<p>In the project’s folder, from any store:</p>
<pre tabindex="0"><code>npx peco-exp ${command.map(shellWord).map(text).join(' ')}</code></pre>
<dl>${items.join('')}</dl>`;
}

function timesOf(made: readonly JsonObject[], field: 'started' | 'ended'): string[] {
  return distinct(made.map((one) => one[field])).map((time) => `${timeText(time, 'seconds')} UTC`);
}

/** A time in ISO 8601, as people write it. */
function timeText(time: string, exact: 'minutes' | 'seconds'): string {
  return time.slice(0, exact === 'minutes' ? 16 : 19).replace('T', ' ');
}

/** `12 (3 stages) on n1, n2, partition main, cluster c`, one a job, in the order of their numbers. */
function jobsOf(made: readonly JsonObject[]): string[] {
  const jobs = made.flatMap(({ slurm }) => (slurm ? [slurm as JsonObject] : []));
  const numbers = distinct(jobs.map(({ job }) => job)).sort((a, b) => Number(a) - Number(b));
  return numbers.map((number) => {
    const own = jobs.filter(({ job }) => job === number);
    const where = (['on', 'partition', 'cluster'] as const).flatMap((word) => {
      const names = distinct(own.map((one) => one[word === 'on' ? 'node' : word]));
      return names.length === 0 ? [] : [`${word} ${names.join(', ')}`];
    });
    return [`${number} (${own.length === 1 ? '1 stage' : `${own.length} stages`})`, ...where].join(', ');
  });
}

function commitOf(git: unknown): string | undefined {
  if (typeof git !== 'object' || git === null) return undefined;
  const { commit, dirty } = git as { readonly commit?: unknown; readonly dirty?: unknown };
  return typeof commit === 'string' ? `${commit.slice(0, 12)}${dirty ? ' with changes' : ''}` : undefined;
}

function hostOf(host: unknown): string | undefined {
  if (typeof host !== 'object' || host === null) return undefined;
  const { cpu, cores, memoryGiB, os, node } = host as JsonObject;
  const parts = [cpu, cores && `${cores} cores`, memoryGiB && `${memoryGiB} GiB`, os, node && `Node ${node}`];
  return parts.filter((part) => part !== undefined && part !== null).join(', ');
}

function costOf(costs: unknown, field: string): number | undefined {
  if (typeof costs !== 'object' || costs === null) return undefined;
  return numberOf((costs as JsonObject)[field]);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Sorted, without what isn't there. */
function distinct(values: readonly unknown[]): string[] {
  const texts = values.filter((value): value is string => typeof value === 'string' && value !== '');
  return [...new Set(texts)].sort();
}
