import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import type { Browser, Page } from 'playwright-core';
import { reportHtml } from '../../reports/formats/html/html.ts';
import type { FullReport } from '../../reports/report.ts';
import { reportNamed } from '../reports/formats/support.ts';
import { repository } from '../support/project.ts';
import { findChromium, launchChromium } from './chromium.ts';

const executable = findChromium();
const withBrowser = executable === undefined ? test.skip : test.serial;
if (executable === undefined)
  process.stdout.write('no Chromium here: install one, or name it by PECO_CHROMIUM\n');

const hostile = ['<script>alert(1)</script>', 'שלום עולם', '\u202egnp.exe', 'x'.repeat(300), '=cmd|😀'];

const plain = reportNamed({ variants: ['beit', 'pixel', 'peco'], task: 'probe', text: 'accuracy' });

/** A table wider than any screen. */
const wide: FullReport = {
  ...plain,
  facts: Array.from({ length: 12 }, (_, index) => `fact ${index}`),
  table: {
    ...plain.table,
    columns: repeated(plain.table.columns),
    rows: plain.table.rows.map((row) => ({ ...row, cells: repeated(row.cells) })),
  },
};

function repeated<T>(values: readonly T[]): readonly T[] {
  return Array.from({ length: 12 }, () => values).flat();
}

/** Pages by what is special about them. */
const reports: { readonly [name: string]: FullReport } = {
  plain,
  wide,
  hostile: reportNamed({
    variants: hostile,
    task: "' onload='x",
    text: '</script><img src=x onerror=alert(1)>',
  }),
};

let browser: Browser;
let dir: string;

test.before(async () => {
  if (executable === undefined) return;
  execFileSync(process.execPath, [path.join(repository, 'bin/build.mjs')]);
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peco-exp-browser-'));
  const read = (name: string) => fs.readFileSync(path.join(repository, 'dist', name), 'utf8');
  const assets = { script: read('report-page.js'), style: read('report-page.css') };
  for (const [name, report] of Object.entries(reports))
    fs.writeFileSync(path.join(dir, `${name}.html`), reportHtml(report, assets));
  browser = await launchChromium(executable);
});

test.after.always(async () => {
  await browser?.close();
  if (dir !== undefined) fs.rmSync(dir, { recursive: true, force: true });
});

/** Opens a page and lists whatever it complains of or asks for. */
async function open(
  name: string,
  { width = 900, dark = false }: { readonly width?: number; readonly dark?: boolean } = {},
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const page = await browser.newPage({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
  });
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => complaints.push(dialog.message()));
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url())) complaints.push(request.url());
  });
  await page.goto(pathToFileURL(path.join(dir, `${name}.html`)).href);
  return { page, complaints };
}

for (const name of Object.keys(reports)) {
  for (const width of [400, 900, 1400]) {
    withBrowser(`${name}: ${width} pixels wide, nothing is wrong and nothing sticks out`, async (t) => {
      const { page, complaints } = await open(name, { width });
      await page.locator('figure.chart').first().scrollIntoViewIfNeeded();
      await page.locator('canvas').first().waitFor();
      const [inner, outer] = await page
        .locator('html')
        .evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth] as const);
      t.true(inner <= outer, `${inner} pixels in ${outer}`);
      t.deepEqual(complaints, []);
      await page.close();
    });
  }
  for (const dark of [false, true]) {
    withBrowser(`${name}: axe finds nothing serious (${dark ? 'dark' : 'light'})`, async (t) => {
      const { page } = await open(name, { dark });
      await page.locator('figure.chart').first().scrollIntoViewIfNeeded();
      // By the debugger, so past the page's policy.
      const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
      await page.evaluate(fs.readFileSync(axe, 'utf8'));
      const found = await page.evaluate(async () => {
        type Axe = {
          run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
        };
        const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
        return violations.map(({ id, impact, nodes }) => `${impact}: ${id}: ${nodes[0].html}`);
      });
      t.deepEqual(found, []);
      await page.close();
    });
  }
}

withBrowser(
  'a column sorts its table by a key press, the other way by a second, and not by a third',
  async (t) => {
    const { page } = await open('plain');
    const rows = () => page.locator('table.results tbody th bdi').allTextContents();
    const declared = await rows();
    const button = page.locator('table.results thead button').nth(1);
    await button.focus();
    await page.keyboard.press('Enter');
    t.deepEqual(await rows(), ['peco', 'pixel', 'beit'], 'the largest first');
    await page.keyboard.press('Enter');
    t.deepEqual(await rows(), ['beit', 'pixel', 'peco']);
    t.is(await page.locator('table.results thead th').nth(1).getAttribute('aria-sort'), 'ascending');
    await page.keyboard.press('Enter');
    t.deepEqual(await rows(), declared);
    await page.close();
  },
);

withBrowser('what the numbers rest on is on paper, also where it is folded on a screen', async (t) => {
  const { page } = await open('wide');
  const folded = page.locator('details.list').first();
  const heightOf = async () => (await folded.boundingBox())!.height;
  const before = await heightOf();
  await page.emulateMedia({ media: 'print' });
  t.true((await heightOf()) > 5 * before);
  await page.close();
});

withBrowser('arrow keys say the values of a step, and a name hides its line', async (t) => {
  const { page } = await open('plain');
  const chart = page.locator('figure.chart').first();
  await chart.scrollIntoViewIfNeeded();
  await chart.locator('canvas').waitFor();
  const value = chart.locator('.value').first();
  // The mean of 1 and 2 at step 3, and of 2 and 3 at step 1.
  t.is(await value.textContent(), '1.5');
  await chart.locator('.plot').focus();
  await page.keyboard.press('Home');
  t.is(await value.textContent(), '2.5');
  t.is(await chart.locator('.at').textContent(), 'at step 1');
  const button = chart.locator('.legend button').first();
  await button.press('Enter');
  t.is(await button.getAttribute('aria-pressed'), 'false');
  await page.close();
});
