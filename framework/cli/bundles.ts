import { fileURLToPath } from 'node:url';
import { isWithin } from '../code/package-root.ts';
import { loadBundles, type StoredBundle } from '../code/stored-bundles.ts';
import { implementationsOfAll } from '../plan/walk.ts';
import type { Prepared } from './prepare.ts';

/** An experiment that was planned. */
export interface Planned extends Pick<Prepared, 'loaded' | 'plan'> {
  readonly project: { readonly root: string };
}

/** Bundles of an experiment file and of the modules of all its stages, by path. */
export function bundlesOf({ loaded, plan, project }: Planned): Promise<Map<string, StoredBundle>> {
  const nodes = plan.stages.map(({ node }) => node);
  const pages = nodes.flatMap(({ component }) => component.pages ?? []);
  const modules = [...implementationsOfAll(nodes), ...pages].map((url) => fileURLToPath(url));
  return loadBundles([loaded.file, ...modules], project.root);
}

/** Files that an experiment's code is made of, absolute: sources, and in the project what decides how they are read. */
export async function codeOf(prepared: Planned): Promise<string[]> {
  const { root } = prepared.project;
  const bundles = [...(await bundlesOf(prepared)).values()];
  const files = bundles.flatMap(({ sources, resolution }) => [
    ...Object.keys(sources),
    ...Object.keys(resolution.files).filter((file) => isWithin(file, root)),
  ]);
  return [...new Set(files)].sort();
}
