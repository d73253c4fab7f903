import fs from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** `PECO_CHROMIUM`, or the first of its usual names. */
export function findChromium(): string | undefined {
  const { PECO_CHROMIUM, PATH = '' } = process.env;
  if (PECO_CHROMIUM) return PECO_CHROMIUM;
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const places = PATH.split(path.delimiter).flatMap((dir) => names.map((name) => path.join(dir, name)));
  return places.find((place) => fs.existsSync(place));
}

/** As root and in a container, whose shared memory is small, too. */
export function launchChromium(executablePath: string): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
  return chromium.launch({ executablePath, args, timeout: 120_000 });
}
