import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { showPath } from '../files/show-path.ts';
import type { Component } from '../stage/component.ts';
import { suggest } from '../stage/issues.ts';
import { isReport, roles } from '../stage/roles.ts';
import { statAt } from '../stage/stat.ts';
import type { Problem } from './problem.ts';
import { walk } from './tree.ts';
import type { Experiment } from './types.ts';

type Part = 'run' | 'load';
const parts: readonly Part[] = ['run', 'load'];

/** What is wrong with a module of a component. */
type Fault = Pick<Problem, 'message' | 'hint'>;

/** Modules of components that are not there, or lack the export by which the framework calls them. */
export async function implementationProblems(experiment: Experiment, cwd: string): Promise<Problem[]> {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const { component, path: place } of walk(experiment)) {
    for (const part of parts) {
      const url = component.implementation[part];
      const name = `${part} ${url ?? component.kind}`;
      // One message for a module, however many components have it.
      if (seen.has(name)) continue;
      seen.add(name);
      const fault = url === undefined ? findLack(component, part) : await findFault(url, part, cwd);
      if (fault) problems.push({ path: place, ...fault });
    }
  }
  return problems;
}

function findLack({ role, kind }: Component, part: Part): Fault | undefined {
  // Other components may be files that a `load` module reads.
  const needsRun = roles[role].cells !== undefined || isReport({ role });
  if (part !== 'run' || !needsRun) return undefined;
  const hint = 'give `run` to its defineComponent';
  return { message: `the ${role} "${kind}" has no code to run`, hint };
}

async function findFault(url: unknown, part: Part, cwd: string): Promise<Fault | undefined> {
  const file = fileOf(url);
  if (file === undefined) {
    const hint = `write new URL('./stage.ts', import.meta.url).href`;
    return { message: `its \`${part}\` is not the URL of a file: ${String(url)}`, hint };
  }
  const shown = showPath(file, cwd);
  if (!statAt(file)?.isFile()) {
    const hint = suggest(path.basename(file), scriptsBeside(file));
    return { message: `its \`${part}\` module ${shown} is not there`, ...(hint ? { hint } : {}) };
  }
  const names = await exportsOf(file, part);
  if (names === undefined || names.includes(part)) return undefined;
  const there = names.length === 0 ? '' : `it exports ${names.join(', ')}; `;
  const hint = `${there}write \`export async function ${part}\``;
  return { message: `its \`${part}\` module ${shown} exports no \`${part}\``, hint };
}

function fileOf(url: unknown): string | undefined {
  if (typeof url !== 'string' || !url.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

function scriptsBeside(file: string): string[] {
  try {
    return fs.readdirSync(path.dirname(file)).filter((name) => /\.[cm]?[jt]sx?$/.test(name));
  } catch {
    return [];
  }
}

/** Whether a line begins with `export function run`, `export const run`, or `export {` whose list has `run` or `x as run`. */
function isPlainlyExported(text: string, wanted: Part): boolean {
  const code = text.replaceAll(/\/\*.*?\*\//gs, '').replaceAll(/^\s*\/\/.*$/gm, '');
  if (new RegExp(`^export (async )?(function\\*? |const |let |var )${wanted}\\b`, 'm').test(code))
    return true;
  const listed = new RegExp(`^(\\w+\\s+as\\s+)?${wanted}$`);
  return [...code.matchAll(/^export\s*\{([^}]*)\}/gm)].some(([, list]) =>
    list!.split(',').some((item) => listed.test(item.trim()) && !/^type\s/.test(item.trim())),
  );
}

/**
 * Names of the values that a module exports; undefined if its text doesn't tell. The parser is loaded only if the name
 * isn't plainly there, since that takes as long as everything else.
 */
async function exportsOf(file: string, wanted: Part, depth = 0): Promise<readonly string[] | undefined> {
  const text = fs.readFileSync(file, 'utf8');
  if (isPlainlyExported(text, wanted)) return [wanted];
  const { parseSync } = await import('oxc-parser');
  const { module, errors } = parseSync(file, text);
  if (errors.length > 0) return undefined; // told with its place when it is bundled
  const names: string[] = [];
  for (const { isType, importName, exportName, moduleRequest } of module.staticExports.flatMap(
    (statement) => statement.entries,
  )) {
    if (importName.kind === 'AllButDefault') {
      const other = path.resolve(path.dirname(file), moduleRequest?.value ?? '');
      const isHere = moduleRequest?.value.startsWith('.') && depth < 10 && fs.existsSync(other);
      const others = isHere ? await exportsOf(other, wanted, depth + 1) : undefined;
      if (others === undefined) return undefined;
      names.push(...others);
    } else if (!isType && exportName.name) {
      names.push(exportName.name);
    }
  }
  return names;
}
