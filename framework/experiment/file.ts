import fs from 'node:fs';
import path from 'node:path';
import { PecoError } from '../stage/errors.ts';
import { suggest } from '../stage/issues.ts';
import { statAt } from '../stage/stat.ts';

const giveFile = 'give the path of an experiment file';
const mostNamed = 10;

/**
 * Says what is wrong with the path of an experiment file, before anything is done with it.
 *
 * @param shown the path as people see it; empty for the current folder
 * @throws PecoError `missing-file` with the files that could be meant, if nothing is there, or a folder
 */
export function checkFile(file: string, shown: string): void {
  const stat = statAt(file);
  if (stat === undefined) {
    const hint = suggest(path.basename(file), scriptsIn(path.dirname(file))) ?? giveFile;
    throw new PecoError(`there is no file ${shown}`, { code: 'missing-file', hint });
  }
  if (!stat.isDirectory()) return;
  const meant = experimentsIn(file).map((name) => path.join(shown, name));
  const more = meant.length > mostNamed ? ', ...' : '';
  const hint =
    meant.length === 0 ? giveFile : `give one of its files: ${meant.slice(0, mostNamed).join(', ')}${more}`;
  throw new PecoError(`${shown || '.'} is a folder`, { code: 'missing-file', hint });
}

/** Experiment files in a folder, and in its folder `experiments`: relative paths. */
function experimentsIn(dir: string): string[] {
  return ['', 'experiments']
    .flatMap((folder) => scriptsIn(path.join(dir, folder)).map((name) => path.join(folder, name)))
    .filter((name) => looksLikeExperiment(path.join(dir, name)));
}

function looksLikeExperiment(file: string): boolean {
  try {
    const text = fs.readFileSync(file, 'utf8');
    return /\bexport\s+default\b/.test(text) && /\b(defineExperiment|override)\s*[(<]/.test(text);
  } catch {
    return false;
  }
}

function scriptsIn(dir: string): string[] {
  try {
    return fs.readdirSync(dir).filter((name) => /\.[cm]?[jt]s$/.test(name));
  } catch {
    return [];
  }
}
