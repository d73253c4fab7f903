import fs from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FlagAssignment } from '../../experiment/changes/path.ts';
import type { Plan } from '../../plan/plan.ts';
import { localExecutor } from '../../run/executors/local.ts';
import { endsOf, type RebuiltReport, rebuildReport } from '../../run/rebuild.ts';
import { readGit } from '../../run/record/git.ts';
import { writeTables } from '../../run/write-tables.ts';
import type { Json } from '../../stage/json.ts';
import { reportField } from '../../stage/roles.ts';
import type { TableConfig } from '../../stage/table.ts';
import { codeOf } from '../bundles.ts';
import { commandOf, describeResolved } from '../described.ts';
import { checkEventsFolder, eventsFolder, reserveEvents, writeEvents } from '../event-files.ts';
import { showing } from '../flags.ts';
import { listenForInterrupts } from '../interrupts.ts';
import { writingTo } from '../no-place.ts';
import { type ExperimentFlags, type Prepared, prepareExperiment, warnOnStderr } from '../prepare.ts';
import { outputLook, printLines } from '../print.ts';
import { formatPath } from '../text/format.ts';
import { showMarkdown } from '../text/markdown.ts';
import { formatRebuilt, type Rebuilt } from '../text/report.ts';
import { formatOverrides, formatSmoke } from '../text/text.ts';

/** Flags of `peco-exp report`: those of `showing` change `show` of the report's config, as `--set` would. */
export interface ReportFlags extends ExperimentFlags {
  readonly columns?: readonly string[];
  readonly rows?: readonly string[];
  readonly precision?: number;
  readonly sort?: string;
}

/**
 * `peco-exp report FILE`: writes the tables of an experiment from what is stored. Runs no stage but the report's own, and
 * leaves the store as it is; cells without a result are named as missing.
 */
export async function reportCommand(file: string, flags: ReportFlags, version: string): Promise<number> {
  checkEventsFolder(flags.tensorboard);
  const prepared = await prepareExperiment(
    file,
    { ...flags, fields: fieldsOf(flags), writesTables: true },
    warnOnStderr,
  );
  const { loaded, project, store, plan } = prepared;
  const release = flags.tensorboard === undefined ? undefined : await reserveEvents(flags.tensorboard, plan);
  const interrupts = listenForInterrupts();
  interrupts.begin(() => {});
  const options = {
    ...{ store, root: project.root, stop: interrupts.stop, kill: interrupts.kill },
    executor: localExecutor(fileURLToPath(new URL('./worker.js', import.meta.url)), {
      sourceMaps: flags.verbose ?? false,
      root: project.root,
      cwd: process.cwd(),
    }),
    onWarning: (message: string) => warnOnStderr({ message }),
  };
  try {
    const tables = await rebuildReport(plan, options, (report) => write(report, prepared, version));
    const events = flags.tensorboard === undefined ? {} : await tensorBoardOf(flags.tensorboard, plan);
    const rebuilt = { ...tables, ...events };
    if (flags.json) printLines([JSON.stringify(rebuilt)]);
    else {
      const table = rebuilt.files.find((name) => name.endsWith('.md'));
      // The table itself says what flags changed.
      const changed = table === undefined ? formatOverrides(loaded.overrides) : [];
      const head = [...formatSmoke(loaded.smoke), ...changed];
      const look = outputLook();
      const shown = table === undefined ? [] : ['', showMarkdown(await fs.readFile(table, 'utf8'), look)];
      const lines = [...head, ...shown, ...formatRebuilt(rebuilt, formatPath, look)];
      printLines(lines, look);
    }
    return 0;
  } catch (error) {
    if (interrupts.stop.aborted) return 130;
    throw error;
  } finally {
    interrupts.end();
    await release?.();
  }
}

/** In the folder of the flag, with how many there are. */
async function tensorBoardOf(folder: string, plan: Plan): Promise<Pick<Rebuilt, 'tensorboard'>> {
  const files = await writeEvents(folder, plan, plan.stages);
  return { tensorboard: { dir: eventsFolder(folder, plan.graph), files: files.length } };
}

/** What to set in the config of the report. */
function fieldsOf(flags: ReportFlags): FlagAssignment[] {
  return showing.flatMap((flag) => {
    const value = flags[flag];
    return value === undefined ? [] : [{ flag, path: [reportField(), 'show', flag], value: value as Json }];
  });
}

/** Writes the results folder. */
async function write(
  { node, dir, outputs, provenance }: RebuiltReport,
  prepared: Prepared,
  version: string,
): Promise<Rebuilt> {
  const { loaded, project, plan } = prepared;
  const { root, results } = project;
  const timings = plan.stages.flatMap(({ node: one, entry }) => {
    if (!entry) return [];
    const { id, component, seed } = one;
    return [{ stage: id, kind: component.kind, seed, provenance: entry.provenance, reused: true }];
  });
  const writing = writeTables(
    { node, dir, outputs, timings, endOf: endsOf(plan) },
    {
      ...{ graph: plan.graph, results, root, version, file: loaded.file },
      command: commandOf(root),
      config: describeResolved(prepared),
      run: typeof provenance?.run === 'string' ? provenance.run : null,
      onWarning: (message) => warnOnStderr({ message }),
      git: async () => readGit(root, await codeOf(prepared)),
    },
  );
  const files = await writingTo({ what: 'the results', folder: results, flag: 'out' }, writing);
  const { cells, missing } = node.component.config.table as unknown as TableConfig;
  return { experiment: plan.graph.experiment, cells: cells.length, missing, files };
}
