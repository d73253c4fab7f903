import { createHash } from 'node:crypto';
import { pictureTitle, seedsOf } from '../../caption.ts';
import { changeLists } from '../../changes.ts';
import type { FullReport } from '../../report.ts';
import type { FullFormat } from '../contract.ts';
import { isHistoryThinned } from '../history.ts';
import { type Chart, curveValue, endIn, lastOf } from './chart.ts';
import { codebooksHtml, usageCharts } from './codebooks.ts';
import { chartsOf, isThinned } from './curves.ts';
import { type Family, familiesOf } from './families.ts';
import { data, imageHtml, name, text, widthOf } from './markup.ts';
import { resultsHtml } from './results.ts';
import { provenanceHtml, settingsHtml, stagesHtml } from './stages.ts';

/** What the page needs beside its own text, as `bin/build.mjs` makes it. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/**
 * `report.html`: all of the report in one file that asks for no other. A policy of its own lets only its one script and
 * its one style sheet act, by their digests, so that no name could run anything even if it weren't escaped.
 */
export function htmlFormat(assets: PageAssets): FullFormat {
  return {
    name: 'html',
    files: (report) => [{ name: 'report.html', content: reportHtml(report, assets) }],
  };
}

export function reportHtml(report: FullReport, { script, style }: PageAssets): string {
  const { config, pictures, stages } = report;
  const families = familiesOf(stages);
  const curves = chartsOf(families);
  const usage = usageCharts(families);
  const usageHtml = usage.map((chart, index) => chartHtml(chart, curves.length + index)).join('\n');
  const sections: readonly (readonly [id: string, title: string, content: string])[] = [
    ['results', 'Results', resultsHtml(report)],
    [
      'curves',
      'Curves',
      curvesHtml(curves, { thinned: isThinned(families), partial: isHistoryThinned(stages) }),
    ],
    ['pictures', 'Pictures', picturesHtml(pictures, families, seedsOf(config))],
    ['codebooks', 'Codebooks', codebooksHtml(families, usageHtml)],
    ['stages', 'Stages', families.length === 0 ? '' : stagesHtml(families, stages)],
    ['settings', 'Settings', settingsHtml(families)],
    ['provenance', 'How it was made', provenanceHtml(report)],
  ];
  const shown = sections.filter(([, , content]) => content !== '');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyOf(script, style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(config.experiment)} – peco-exp</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#results">To the results</a>
<header>
<h1>${name(config.experiment)}${config.smoke ? ': smoke run' : ''}</h1>
${noticeHtml(report)}<nav aria-label="Sections"><ul>${shown.map(([id, title]) => `<li><a href="#${id}">${title}</a></li>`).join('')}</ul></nav>
</header>
<main>
${shown.map(([id, title, content]) => `<section id="${id}" aria-labelledby="${id}-title">\n<h2 id="${id}-title">${title}</h2>\n${content}\n</section>`).join('\n')}
</main>
<script type="application/json" id="charts">${data([...curves, ...usage])}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Nothing is loaded; pictures are in the page itself. */
function policyOf(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src '${digest(script)}'`,
    `style-src '${digest(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function digest(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}

/** What must be known before anything is read. */
function noticeHtml({ config, shown }: FullReport): string {
  const smoke = config.smoke
    ? '<p class="notice"><strong>The numbers mean nothing.</strong> Every component has the smallest size that it declares itself.</p>\n'
    : '';
  const lists = changeLists(config, shown).map(({ head, lines }) => {
    const list = lines.map((line) => `<li>${name(line)}</li>`).join('');
    return `<div class="notice"><p>${text(head)}</p><ul>${list}</ul></div>\n`;
  });
  return smoke + lists.join('');
}

interface CurvesOptions {
  /** Some curve leaves logged values out. */
  readonly thinned: boolean;
  /** `history.csv` does, too. */
  readonly partial: boolean;
}

function curvesHtml(charts: readonly Chart[], { thinned, partial }: CurvesOptions): string {
  if (charts.length === 0) return '';
  const groups = [...new Set(charts.map(({ group }) => group))];
  const parts = groups.map((group) => {
    const figures = charts.flatMap((chart, index) =>
      chart.group === group ? [chartHtml(chart, index)] : [],
    );
    return `<h3>${name(group)}</h3>\n<div class="charts">\n${figures.join('\n')}\n</div>`;
  });
  const all = partial
    ? '<code>history.csv</code> has more values, <code>readResults</code> of <code>peco-exp/results</code> all'
    : '<code>history.csv</code> has all values';
  const some = thinned ? ` Long histories are shown in part: ${all}.` : '';
  return `<p>What stages logged, over steps: of trainings the mean of the steps since the point before. A line is the mean of the seeds, its band the least to the largest of them.${some} In a chart, the arrow keys move from step to step; dragging zooms, a double click shows all. A name hides its line.</p>
<noscript><p>Curves need JavaScript; the last values are beside the names; ${all}.</p></noscript>
${parts.join('\n')}`;
}

function chartHtml(chart: Chart, index: number): string {
  const { group, metric, title = metric, x, unit = 'step', series } = chart;
  const items = series.map((curve) => {
    const last = lastOf(curve);
    const value = last === undefined ? '' : curveValue(last);
    return `<li><button type="button" aria-pressed="true"><span class="swatch c${curve.colour % 8}${curve.colour < 8 ? '' : ' dashed'}"></span>${name(curve.label)} <span class="value">${value}</span></button></li>`;
  });
  const label = `${title} of ${group}, ${unit}s ${x[0]} to ${x.at(-1)}, ${series.length} lines`;
  return `<figure class="chart" data-chart="${index}">
<figcaption>${name(title)} <span class="at">${endIn(chart)}</span></figcaption>
<div class="plot" tabindex="0" role="img" aria-label="${text(label)}"></div>
<ul class="legend">${items.join('')}</ul>
</figure>`;
}

function picturesHtml(
  pictures: FullReport['pictures'],
  families: readonly Family[],
  seeds: readonly number[],
): string {
  const figures = [...pictures].map(([file, png]) => figureHtml(png, pictureTitle(file, seeds)));
  return [...figures, ...masksHtml(families)].join('\n');
}

/** Pretrainings that mask the same of the same images are shown once. */
function masksHtml(families: readonly Family[]): readonly string[] {
  const shown = new Map<string, { readonly png: Uint8Array; readonly labels: string[] }>();
  for (const { label, stages } of families) {
    const png = stages.find(({ masks }) => masks)?.masks;
    if (!png) continue;
    const key = Buffer.from(png).toString('base64');
    const same = shown.get(key) ?? { png, labels: [] };
    same.labels.push(label);
    shown.set(key, same);
  }
  return [...shown.values()].map(({ png, labels }) => {
    const of = shown.size === 1 ? '' : ` (${labels.join(', ')})`;
    return figureHtml(png, `The first images of a pretraining, and what of them is masked${of}`);
  });
}

/** A picture up to this many pixels wide is shrunk a little where the page is narrower; others scroll. */
const almostPage = 1400;

function figureHtml(png: Uint8Array, title: string): string {
  return `<figure class="picture${widthOf(png) <= almostPage ? ' whole' : ''}"><div class="wide" role="region" aria-label="${text(title)}" tabindex="0">${imageHtml(png, { title })}</div><figcaption>${text(title)}</figcaption></figure>`;
}
