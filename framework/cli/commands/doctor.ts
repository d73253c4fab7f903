import os from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ProjectFlags, ProjectSettings } from '../../settings/project.ts';
import { findSettings } from '../../settings/project.ts';
import { formatError } from '../../stage/errors.ts';
import { inspectStore } from '../../store/marker.ts';
import type { EngineReport } from '../engines.ts';
import { checkEngine } from '../engines.ts';
import { printLines } from '../print.ts';
import { type Diagnosis, formatDoctor, type Machine, worksAmong } from '../text/doctor.ts';

export interface DoctorFlags extends ProjectFlags {
  readonly json?: boolean;
}

/** `peco-exp doctor`: tries every engine, shows the settings. Returns the exit code: 1 if the settings' engine or store can't be used. */
export async function doctorCommand(version: string, flags: DoctorFlags): Promise<number> {
  const cwd = process.cwd();
  const settings = await findSettings(cwd, { flags, env: process.env, cwd });
  const script = fileURLToPath(new URL('./engine-check.js', import.meta.url));
  const reports = await Promise.all(tried.map((name) => checkEngine(name, { script })));
  const diagnosis = diagnose(describeMachine(version), settings, reports, findStoreProblem(settings));
  printLines(flags.json ? [JSON.stringify(diagnosis)] : formatDoctor(diagnosis));
  return diagnosis.healthy ? 0 : 1;
}

/** All but `auto`; a way of an engine by itself where it may fail alone. */
const tried = ['onnx', 'onnx:webgpu', 'reference', 'wasm', 'tensorflow'] as const;

/** What the reports mean for these settings. */
export function diagnose(
  machine: Machine,
  settings: ProjectSettings,
  reports: readonly EngineReport[],
  storeProblem?: string,
): Diagnosis {
  const auto = worksAmong(reports, 'tensorflow') ? 'tensorflow' : 'onnx';
  const { value } = settings.engine;
  const healthy = worksAmong(reports, value === 'auto' ? auto : value) && storeProblem === undefined;
  return {
    machine,
    settings,
    engines: reports,
    auto,
    ...(storeProblem === undefined ? {} : { storeProblem }),
    healthy,
  };
}

function findStoreProblem({ store }: ProjectSettings): string | undefined {
  try {
    inspectStore(store.value, store.from);
    return undefined;
  } catch (error) {
    return formatError(error);
  }
}

function describeMachine(version: string): Machine {
  const gib = (bytes: number) => Math.round((bytes / 2 ** 30) * 10) / 10;
  // A container's limit, where there is one; without one it is 0, unknown, or a number beyond all memory.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return {
    version,
    node: process.versions.node,
    system: `${os.platform()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory: gib(Math.min(os.totalmem(), limit)),
    freeMemory: gib(process.availableMemory()),
  };
}
