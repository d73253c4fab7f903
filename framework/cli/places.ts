import fs from 'node:fs';
import path from 'node:path';
import { openProjectCache } from '../code/cache.ts';
import type { LoadedExperiment } from '../experiment/load.ts';
import type { Problem } from '../experiment/problem.ts';
import { reportProblems } from '../experiment/report.ts';
import { walk } from '../experiment/tree.ts';
import { listVariants } from '../experiment/variants.ts';
import { linksIn, sweepFolder } from '../files/folder-sweep.ts';
import { showPath } from '../files/show-path.ts';
import type { Project } from '../settings/project.ts';
import type { Component } from '../stage/component.ts';
import { PecoError } from '../stage/errors.ts';
import { statAt } from '../stage/stat.ts';
import { listOf } from './text/format.ts';

/** A folder that peco-exp writes to. */
interface Place {
  readonly what: string;
  readonly dir: string;
}

/**
 * Data and what a run writes lie apart: else each run would change the data that it reads, and a collection could remove
 * some of it. Links are followed, within data folders too.
 *
 * @param written the folders of the tables and of event files; undefined where there are none
 * @throws PecoError `invalid-experiment` with all data that is in the way; `invalid-settings` for tables or event files within
 *   the store
 */
export async function checkPlaces(
  loaded: LoadedExperiment,
  project: Project,
  written: { readonly results: string | undefined; readonly events: string | undefined },
): Promise<void> {
  const { results, events } = written;
  const store = { what: 'the store', dir: project.store };
  const outputs: WrittenPlace[] = [
    ...(results === undefined ? [] : [{ what: 'the results folder', dir: results, flag: 'out' }]),
    ...(events === undefined
      ? []
      : [{ what: 'the folder of event files', dir: path.resolve(events), flag: 'tensorboard' }]),
  ];
  const cache = { what: "the project's cache", dir: openProjectCache(project.root).dir };
  for (const place of outputs) checkApart(place, store.dir);
  const problems: Problem[] = [];
  for (const { file, path: field } of dataOf(loaded)) {
    const found = await findOverlap(file, [store, ...outputs, cache]);
    if (found === undefined) continue;
    const flags = ['--store', ...outputs.map(({ flag }) => `--${flag}`)];
    const hint = `give it a folder with nothing but data, or choose other places with ${listOf(flags)}`;
    problems.push({ path: field, message: `the data ${file} ${found}`, hint });
  }
  if (problems.length === 0) return;
  const cwd = process.cwd();
  throw await reportProblems(problems, { file: loaded.file, shown: showPath(loaded.asked, cwd), cwd });
}

/** A folder that a flag names. */
interface WrittenPlace extends Place {
  readonly flag: string;
}

function checkApart({ what, dir, flag }: WrittenPlace, store: string): void {
  if (!contains(store, dir) && !contains(dir, store)) return;
  throw new PecoError(`${what} ${dir} and the store ${store} lie within each other`, {
    code: 'invalid-settings',
    hint: `choose another folder with --${flag} or --store`,
  });
}

interface DataFile {
  readonly file: string;
  /** Of the component, from the experiment. */
  readonly path: Problem['path'];
}

/** Of the experiment as declared, and of its rows: a sweep can change which data they read. */
function dataOf({ experiment }: LoadedExperiment): DataFile[] {
  const files = new Map<string, DataFile>();
  const add = (component: Component, field: Problem['path']): void => {
    for (const file of Object.values(component.files))
      if (!files.has(file)) files.set(file, { file, path: field });
    for (const [name, nested] of Object.entries(component.inputs)) add(nested, [...field, name]);
  };
  for (const { component, path: field } of walk(experiment)) add(component, field);
  for (const { parts } of listVariants(experiment))
    for (const { component, path: field } of parts) add(component, field);
  return [...files.values()];
}

/** `holds the store /x/.peco`, `lies within the results folder /x/results/p`; with links in a folder as well as itself. */
async function findOverlap(file: string, places: readonly Place[]): Promise<string | undefined> {
  for (const { what, dir } of places) {
    if (contains(dir, file)) return `lies within ${what} ${dir}`;
    if (contains(file, dir)) return `holds ${what} ${dir}`;
  }
  for (const link of await linksBelow(file)) {
    for (const { what, dir } of places) {
      if (contains(dir, link) || contains(link, dir))
        return `has the link ${link}, which leads to ${what} ${dir}`;
    }
  }
  return undefined;
}

/** Links below a folder, and below what they lead to. What can't be read is reported where its bytes are needed. */
async function linksBelow(folder: string): Promise<string[]> {
  if (!statAt(folder)?.isDirectory()) return [];
  try {
    return linksIn(folder, await sweepFolder(folder));
  } catch {
    return [];
  }
}

/** True if a place is a folder or lies in it, whatever links or spellings lead there; both may be still to be made. */
function contains(folder: string, place: string): boolean {
  const [outer, inner] = [realPlace(folder), realPlace(place)];
  const relative = path.relative(outer, inner);
  if (
    relative === '' ||
    !(relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative))
  )
    return true;
  const wanted = identityOf(outer);
  if (wanted === undefined) return false;
  // The same folder by another name: mounted twice, or spelt otherwise where case doesn't count.
  for (let at = inner; ; at = path.dirname(at)) {
    if (identityOf(at) === wanted) return true;
    if (path.dirname(at) === at) return false;
  }
}

/** Without links, as far as it is there. */
function realPlace(place: string): string {
  try {
    return fs.realpathSync(place);
  } catch {
    const above = path.dirname(place);
    return above === place ? place : path.join(realPlace(above), path.basename(place));
  }
}

function identityOf(place: string): string | undefined {
  try {
    const { dev, ino } = fs.statSync(place, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}
