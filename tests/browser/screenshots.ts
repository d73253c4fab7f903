/**
 * Pictures of a report for the README: the parts of `report.html` that are worth showing, each cut to a height.
 *
 *   PECO_CHROMIUM=chromium node --import=tsx tests/browser/screenshots.ts results/quickstart/report.html docs/images/quickstart
 *
 * writes `docs/images/quickstart-results.png`, `-curves.png` and `-codebooks.png`.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { findChromium, launchChromium } from './chromium.ts';

const width = 1280;
/** By section: pixels from its top. */
const parts = { results: 690, curves: 1256, codebooks: 1600 } as const;

const [file, prefix] = process.argv.slice(2);
const executablePath = findChromium();
if (file === undefined || prefix === undefined)
  throw new Error('give a report.html and where pictures begin');
if (executablePath === undefined)
  throw new Error('no Chromium here: install one, or name it by PECO_CHROMIUM');

const browser = await launchChromium(executablePath);
const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: 'light' });
await page.goto(pathToFileURL(path.resolve(file)).href);
for (const figure of await page.locator('figure.chart').all()) {
  await figure.scrollIntoViewIfNeeded();
  await figure.locator('canvas').waitFor();
}
// Of the tokenizers only the last shows its codes.
const tokenizers = await page.locator('#codebooks details').all();
for (const [index, details] of tokenizers.entries()) {
  const isShown = index === tokenizers.length - 1;
  await details.evaluate((element, open) => element.toggleAttribute('open', open), isShown);
}
for (const [id, height] of Object.entries(parts)) {
  const box = await page.locator(`#${id}`).boundingBox();
  if (!box) continue;
  const scrolled = await page.evaluate(() => (globalThis as unknown as { scrollY: number }).scrollY);
  await page.screenshot({
    path: `${prefix}-${id}.png`,
    fullPage: true,
    clip: { x: 0, y: box.y + scrolled, width, height: Math.min(height, box.height) },
  });
}
await browser.close();
