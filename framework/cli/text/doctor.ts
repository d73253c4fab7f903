import type { ProjectSettings } from '../../settings/project.ts';
import type { EngineReport } from '../engines.ts';

/** The machine as a run sees it. */
export interface Machine {
  readonly version: string;
  readonly node: string;
  readonly system: string;
  readonly cpu: string;
  readonly cores: number;
  /** What this process may use at most, and what of it is free, in GiB. */
  readonly memory: number;
  readonly freeMemory: number;
}

/** What `peco-exp doctor` shows; with `--json` it prints this. */
export interface Diagnosis {
  readonly machine: Machine;
  readonly settings: ProjectSettings;
  /** Every engine but `auto`. */
  readonly engines: readonly EngineReport[];
  /** What `auto` means here. */
  readonly auto: string;
  /** Why the folder of the settings can't be the store; absent if it can. */
  readonly storeProblem?: string;
  /** The engine of the settings works, and the store is one. */
  readonly healthy: boolean;
}

/** What `peco-exp doctor` prints, in lines. */
export function formatDoctor(diagnosis: Diagnosis): string[] {
  const { machine, settings, engines, auto, storeProblem } = diagnosis;
  const { version, node, system, cpu, cores, memory, freeMemory } = machine;
  const engine = settings.engine.value;
  return [
    `peco-exp ${version}, Node ${node}, ${system}`,
    `${cores} core${cores === 1 ? '' : 's'} (${cpu}), ${memory} GiB of memory, ${freeMemory} free`,
    '',
    `settings of ${settings.root}`,
    ...formatSettings(settings),
    '',
    'engines, each after some steps of training beside the reference',
    ...engines.flatMap(formatEngine),
    '',
    engine === 'auto'
      ? `the engine of this project is auto, which is ${auto} here`
      : `the engine of this project is ${engine}`,
    ...(isEngineHealthy(diagnosis)
      ? []
      : ['It does not work. Mend it, or choose another: --engine, PECO_ENGINE or the settings file.']),
    ...(storeProblem === undefined ? [] : ['', ...storeProblem.split('\n')]),
  ];
}

function isEngineHealthy({ settings, engines, auto }: Diagnosis): boolean {
  const { value } = settings.engine;
  return worksAmong(engines, value === 'auto' ? auto : value);
}

/** Whether an engine works, by its own report, or by that of the engine that it is a way of: `tensorflow:bf16`. */
export function worksAmong(reports: readonly EngineReport[], name: string): boolean {
  const of = (wanted: string | undefined) => reports.find(({ engine }) => engine === wanted);
  return (of(name) ?? of(name.split(':')[0]))?.works ?? false;
}

function formatSettings(settings: Diagnosis['settings']): string[] {
  const { store, results, engine, jobs, retries, timeout, executor } = settings;
  const rows = Object.entries({ store, results, engine, jobs, retries, timeout, executor }).map(
    ([name, { value, from }]) => [name, String(value), from] as const,
  );
  const width = Math.max(...rows.map(([, value]) => value.length));
  return rows.map(([name, value, from]) => `  ${name.padEnd(8)}  ${value.padEnd(width)}  ${from}`);
}

function formatEngine(report: EngineReport): string[] {
  if (!report.works) return [`  no     ${report.engine}`, `         ${report.problem}`];
  const { description, difference, steps, engine, notes } = report;
  const compared = engine === 'reference' ? '' : `, ${steps} steps differ by ${difference.toExponential(0)}`;
  return [`  works  ${description}${compared}`, ...notes.map((note) => `         ${note}`)];
}
