import { PNG } from 'pngjs';
import type { Codebook } from '../../examples.ts';
import { formatValue } from '../../format.ts';
import type { Chart, Curve } from './chart.ts';
import { coloursOf, rounded } from './curves.ts';
import type { Family } from './families.ts';
import { imageHtml, name, text } from './markup.ts';

/** Ranks that a curve shows of a large codebook, closer to each other where codes are used most. */
const mostRanks = 300;
/** Patches are enlarged to about this side, in pixels. */
const usualSide = 32;
/** Dead codes that are named. */
const mostDead = 100;
/** More tokenizers are folded. */
const mostOpen = 6;

type Coded = Family['stages'][number] & { readonly codebook: Codebook };

interface Tokenizer {
  readonly family: Family;
  /** Its evaluations, one a seed. */
  readonly stages: readonly Coded[];
}

function tokenizersOf(families: readonly Family[]): readonly Tokenizer[] {
  return families.flatMap((family) => {
    const stages = family.stages.filter((stage): stage is Coded => stage.codebook !== undefined);
    return stages.length === 0 ? [] : [{ family, stages }];
  });
}

/** How often codes are used, by rank: a line for each tokenizer, as long as no seed has a dead code. */
export function usageCharts(families: readonly Family[]): readonly Chart[] {
  const tokenizers = tokenizersOf(families);
  const colours = coloursOf(families);
  const x = ranksOf(Math.max(0, ...tokenizers.map(({ stages }) => stages[0].codebook.counts.length)));
  if (x.length < 2) return [];
  const series = tokenizers.map(({ family, stages }): Curve => {
    const seeds = stages.map(({ codebook }) => sharesOf(codebook));
    const of = (number: (values: readonly number[]) => number) =>
      x.map((rank) => {
        const values = seeds.map((shares) => shares[rank - 1] ?? 0);
        return values.every((value) => value > 0) ? rounded(number(values)) : null;
      });
    const mean = of((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
    return {
      ...{ label: family.label, colour: colours.get(family) ?? 0, mean },
      ...(seeds.length > 1
        ? { low: of((values) => Math.min(...values)), high: of((values) => Math.max(...values)) }
        : {}),
    };
  });
  const title = 'share of the tokens of each code, in %, the most used code first';
  return [{ group: 'codebooks', metric: 'share', title, x, unit: 'rank', logarithmic: true, series }];
}

/** 1, 2, ... up to a number: all, or as many as a curve shows, evenly on a logarithmic axis. */
function ranksOf(count: number): readonly number[] {
  if (count <= mostRanks) return Array.from({ length: count }, (_, index) => index + 1);
  const ranks = Array.from({ length: mostRanks }, (_, i) => Math.round(count ** (i / (mostRanks - 1))));
  return [...new Set(ranks)];
}

/** In percent, the largest first. */
function sharesOf({ counts }: Codebook): readonly number[] {
  const tokens = totalOf(counts);
  return counts.map((count) => (100 * count) / tokens).sort((a, b) => b - a);
}

const totalOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

/** @param charts HTML of `usageCharts` */
export function codebooksHtml(families: readonly Family[], charts: string): string {
  const tokenizers = tokenizersOf(families);
  if (tokenizers.length === 0) return '';
  const [{ stages }] = tokenizers;
  const images = stages[0].codebook.images.toLocaleString('en-US');
  return `<p>How tokenizers use their codes on ${images} test images. A line ends where codes are dead: no token takes them. Its band is the least to the largest of the seeds.</p>
<div class="charts">
${charts}
</div>
${tableHtml(tokenizers)}
<h3>Most used codes</h3>
<p>Each row is a code, with patches of the first test images that have it, one an image (first seed).</p>
${tokenizers.map((tokenizer) => codesHtml(tokenizer, tokenizers.length <= mostOpen)).join('\n')}`;
}

function tableHtml(tokenizers: readonly Tokenizer[]): string {
  const rows = tokenizers.flatMap(({ family, stages }) =>
    stages.map(({ seed, codebook }) => {
      const { counts } = codebook;
      const shares = sharesOf(codebook);
      const dead = counts.filter((count) => count === 0).length;
      const fields = [
        [seed, String(seed)],
        [counts.length, String(counts.length)],
        [dead, `${dead} <small>(${formatValue((100 * dead) / counts.length, 1)} %)</small>`],
        [halfOf(shares), String(halfOf(shares))],
        [shares[0], `${formatValue(shares[0], 1)} %`],
      ].map(([value, shown]) => `<td class="number" data-sort="${value}">${shown}</td>`);
      return `<tr><th scope="row">${name(family.label)}</th>${fields.join('')}</tr>`;
    }),
  );
  const head = ['seed', 'codes', 'dead codes', 'codes of half the tokens', 'most used code'];
  return `<div class="wide" role="region" aria-label="Use of codes" tabindex="0">
<table class="sortable">
<caption class="unseen">A row a tokenizer and seed</caption>
<thead><tr><th scope="col">tokenizer</th>${head.map((title) => `<th scope="col" class="number">${title}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</div>`;
}

/** How many of the most used codes half of the tokens take. */
function halfOf(shares: readonly number[]): number {
  let count = 0;
  for (let sum = 0; sum < 50 && count < shares.length; count++) sum += shares[count];
  return count;
}

function codesHtml({ family, stages: [{ codebook }] }: Tokenizer, open: boolean): string {
  const { counts, shown, patch } = codebook;
  const rows = rowsOf(codebook);
  const tokens = totalOf(counts);
  const factor = Math.max(1, Math.round(usualSide / patch));
  const lines = shown.slice(0, rows.length).map((code, index) => {
    const share = `${formatValue((100 * counts[code]) / tokens, 1)} %`;
    const image = imageHtml(rows[index], { title: `patches of code ${code}`, factor });
    return `<tr><th scope="row" class="number">${code}</th><td class="number">${share}</td><td>${image}</td></tr>`;
  });
  return `<details${open ? ' open' : ''}><summary>${name(family.label)}</summary>
<div class="wide" role="region" aria-label="Most used codes of ${text(family.label)}" tabindex="0">
<table class="codes">
<thead><tr><th scope="col" class="number">code</th><th scope="col" class="number">tokens</th><th scope="col">patches</th></tr></thead>
<tbody>
${lines.join('\n')}
</tbody>
</table>
</div>
<p>${deadHtml(counts)}</p></details>`;
}

function deadHtml(counts: readonly number[]): string {
  const dead = [...counts.keys()].filter((code) => counts[code] === 0);
  if (dead.length === 0) return 'No code is dead.';
  const more = dead.length - mostDead;
  const rest = more > 0 ? ` and ${more} more` : '';
  return `Dead codes: ${dead.slice(0, mostDead).join(', ')}${rest}.`;
}

/** The rows of the picture, as pictures of their own. */
function rowsOf({ picture, patch, gap }: Codebook): readonly Buffer[] {
  const png = PNG.sync.read(Buffer.from(picture));
  const rows = Math.floor((png.height - gap) / (patch + gap));
  return Array.from({ length: rows }, (_, row) => {
    const own = new PNG({ width: png.width, height: patch, colorType: 2 });
    PNG.bitblt(png, own, 0, gap + row * (patch + gap), png.width, patch, 0, 0);
    return PNG.sync.write(own, { colorType: 2, inputColorType: 6, inputHasAlpha: true });
  });
}
