import { readFile } from 'node:fs/promises';
import type { PageAssets } from './html.ts';

/** The page's script and style sheet, which `bin/build.mjs` makes of `browser/` and of uPlot. */
export async function readAssets(): Promise<PageAssets> {
  const read = (name: string) => readFile(new URL(`../../../dist/${name}`, import.meta.url), 'utf8');
  return { script: await read('report-page.js'), style: await read('report-page.css') };
}
