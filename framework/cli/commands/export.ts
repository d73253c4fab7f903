import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleImplementation } from '../../code/code.ts';
import type { PlannedStage } from '../../plan/plan.ts';
import type { StageNode } from '../../plan/types.ts';
import { describeInputs } from '../../run/job.ts';
import { openInputs } from '../../run/worker/inputs.ts';
import type { Exports } from '../../stage/component.ts';
import type { Exported, ExportFunction, StageInput } from '../../stage/contract.ts';
import { PecoError } from '../../stage/errors.ts';
import { suggest } from '../../stage/issues.ts';
import type { StageError } from '../../stage/stage-error.ts';
import type { Entry } from '../../store/types.ts';
import {
  type ExperimentFlags,
  findPlanned,
  type Prepared,
  prepareExperiment,
  warnOnStderr,
} from '../prepare.ts';
import { printLines } from '../print.ts';
import { formatBytes, formatPath } from '../text/format.ts';
import { formatSmoke } from '../text/text.ts';

export interface ExportFlags extends ExperimentFlags {
  readonly format?: string;
  readonly to?: string;
}

/**
 * `peco-exp export FILE STAGE --format NAME`: writes the stored result of a stage as other programs read it. Runs nothing.
 *
 * @throws PecoError `usage` for a stage or a format that can't be exported, `not-stored` for one without a result,
 *   `file-exists` rather than replacing a file
 */
export async function exportCommand(file: string, stage: string, flags: ExportFlags): Promise<number> {
  const prepared = await prepareExperiment(file, flags, warnOnStderr);
  const planned = findOne(prepared, stage);
  const exports = exportsOf(planned);
  const format = chooseFormat(planned.node, exports, flags.format);
  const target = path.resolve(flags.to ?? defaultName(planned.node, format, exports));
  if (planned.entry === undefined) {
    const isUnknown = planned.status === 'unknown';
    throw new PecoError(`${planned.node.id} has no stored result${isUnknown ? ' that could be found' : ''}`, {
      code: 'not-stored',
      hint: isUnknown
        ? `${planned.reason}: without it there is no key; \`peco-exp plan\` lists what is missing`
        : '`peco-exp run` with the same file and flags makes it',
    });
  }
  if (fs.existsSync(target)) {
    throw new PecoError(`${formatPath(target)} is there already`, {
      code: 'file-exists',
      hint: 'remove it, or name another file with --to',
    });
  }
  const input = await openResult(planned.node, prepared);
  const { load = [] } = await write(target, { input, exports, format, root: prepared.project.root });
  const { size: bytes } = fs.statSync(target);
  const { key } = planned.entry;
  if (flags.json) {
    const stage = planned.node.id;
    const shown = load.map((line) => namingFile(line, target));
    printLines([JSON.stringify({ stage, key, format, file: target, bytes, load: shown })]);
    return 0;
  }
  printLines([
    ...formatSmoke(prepared.loaded.smoke),
    `${planned.node.id} (${key.slice(0, 12)}) as ${format}: ${formatPath(target)}, ${formatBytes(bytes)}`,
    ...load.map((line) => `  ${namingFile(line, formatPath(target))}`),
  ]);
  return 0;
}

function namingFile(line: string, file: string): string {
  return line.replaceAll(/\bFILE\b/g, () => JSON.stringify(file));
}

/** @throws PecoError if a name means several stages: one file holds one result */
function findOne({ plan }: Prepared, name: string): PlannedStage {
  const found = findPlanned(plan, name);
  if (found.length === 1) return found[0]!;
  throw new PecoError(`"${name}" may be any of ${found.length} stages`, {
    code: 'ambiguous-name',
    hint: `one of: ${found.map(({ node }) => node.id).join(', ')}`,
  });
}

function exportsOf({ node }: PlannedStage): Exports {
  const { role, kind, exports } = node.component;
  if (exports) return exports;
  throw new PecoError(
    `${node.id} can't be exported: the ${role} "${kind}" has no format for other programs`,
    {
      code: 'usage',
      hint: 'its files are as the stage wrote them: `peco-exp show KEY` names their folder',
    },
  );
}

function chooseFormat({ id }: StageNode, { formats }: Exports, wanted: string | undefined): string {
  const names = Object.keys(formats);
  if (wanted !== undefined && Object.hasOwn(formats, wanted)) return wanted;
  const what = wanted === undefined ? '--format is missing' : `${id} has no format "${wanted}"`;
  throw new PecoError(what, { code: 'usage', hint: suggest(wanted ?? '', names) ?? '' });
}

function defaultName({ id }: StageNode, format: string, { formats }: Exports): string {
  return `${id.replaceAll(/[^\w.-]+/g, '-')}-${format}${formats[format]}`;
}

/** The result of a stage as those that use it see it. */
async function openResult(node: StageNode, { plan, project }: Prepared): Promise<StageInput> {
  const entries = new Map(plan.stages.map((planned) => [planned.node, planned.entry]));
  const entryOf = (stage: StageNode): Entry => {
    const entry = entries.get(stage);
    if (entry) return entry;
    throw new PecoError(`${node.id} was made of ${stage.id}, which has no stored result any more`, {
      code: 'not-stored',
      hint: '`peco-exp run` with the same file and flags makes it',
    });
  };
  const bundle = (url: string) => bundleImplementation(url, { root: project.root });
  return openInputs(await describeInputs({ result: { type: 'stage', stage: node } }, entryOf, bundle))
    .result!;
}

/** The file appears whole or not at all. */
async function write(
  target: string,
  {
    input,
    exports,
    format,
    root,
  }: {
    readonly input: StageInput;
    readonly exports: Exports;
    readonly format: string;
    readonly root: string;
  },
): Promise<Exported> {
  const { path: bundle } = await bundleImplementation(exports.module, { root });
  const module = (await import(pathToFileURL(bundle).href)) as { readonly exportResult?: ExportFunction };
  if (typeof module.exportResult !== 'function')
    throw new PecoError(`the export module of kind "${input.kind}" exports no function \`exportResult\``, {
      code: 'usage',
      hint: 'write `export const exportResult: ExportFunction`',
    });
  const partial = `${target}.partial-${process.pid}`;
  try {
    makeFolder(path.dirname(target));
    const exported = await module.exportResult(input, { format, file: partial });
    fs.renameSync(partial, target);
    return exported;
  } catch (error) {
    throw explain(error, target);
  } finally {
    // Not there if it was moved, or couldn't be made.
    if (fs.existsSync(partial)) fs.rmSync(partial);
  }
}

/** One folder after the other: Node's recursive way never ends where a file system refuses (/proc). */
function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return;
  makeFolder(path.dirname(folder));
  fs.mkdirSync(folder);
}

function explain(error: unknown, target: string): unknown {
  const shown = formatPath(target);
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Not of this module's class: bundles have their own.
  if ((error as Error).name === 'StageError') {
    const { message, hint } = error as StageError;
    return new PecoError(`${shown} is not written: ${message}`, {
      code: 'not-exportable',
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  if (code === undefined || syscall === undefined) return error;
  return new PecoError(`${shown} can't be written (${code})`, {
    code: 'export-write',
    cause: error,
    hint: 'name another file with --to',
  });
}
