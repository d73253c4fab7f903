import { describeExperiment } from '../experiment/resolved.ts';
import { homeFolder } from '../files/home.ts';
import type { Json, JsonObject } from '../stage/json.ts';
import type { Prepared } from './prepare.ts';

/** `config.json`: data is named by its digest, so that the file says the same on every machine. */
export function describeResolved({ loaded, plan }: Prepared): JsonObject {
  const described = describeExperiment(loaded.experiment, (file) => plan.data.get(file) ?? null);
  return { ...described, changes: loaded.changes as unknown as Json };
}

/** The arguments of this process, as records have them. */
export function commandOf(root: string): string[] {
  return process.argv.slice(2).map((argument) => withoutFolders(argument, root));
}

/** Records travel with the store, so they must not show where the project lies. */
function withoutFolders(argument: string, root: string): string {
  const home = homeFolder();
  const local = argument.replaceAll(root, '.');
  return home.length > 1 ? local.replaceAll(home, '~') : local;
}
