import fs from 'node:fs';
import { SourceMap } from 'node:module';
import { EngineError } from './types.ts';

/** What a kernel's absence means, as each kind of engine knows it. */
export type KernelHint = (kernel: string) => string;

/** The error of a step as one EngineError that names the program, the kernel if one is missing, and the place. */
export function explainStepError(options: {
  readonly error: unknown;
  readonly program: string;
  /** `can't be compiled`, `failed`. */
  readonly what: string;
  readonly missingKernel: KernelHint;
}): EngineError {
  const { error, program, what, missingKernel } = options;
  const message = error instanceof Error ? error.message : String(error);
  // A StageError says by itself what is wrong; its own place is that of a check.
  const place = error instanceof Error && error.name === 'StageError' ? undefined : placeOf(error);
  const at = place ? ` (at ${place})` : '';
  const kernel = /^Kernel '(\w+)' not registered/.exec(message)?.[1];
  const text = kernel ? missingKernel(kernel) : message;
  return new EngineError(`program '${program}' ${what}: ${text}${at}`, { cause: error });
}

/** Runs `work` with stacks that reach through tfjs's own frames to the step: errors name the place in it. */
export function withDeepStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 60;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Frames of tfjs (which source maps may show under their own paths), of Node, of this engine, and of built code. */
const inside =
  /node_modules|node:|[/\\]tfjs-[\w-]+[/\\]src|(?<!tests)[/\\]components[/\\]engine[/\\]|[/\\]dist[/\\]/;

interface Place {
  readonly file: string;
  readonly line: number;
}

/** The innermost frame of the stack that is neither tfjs nor this engine. */
function placeOf(error: unknown): string | undefined {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n') : [];
  const maps = new Map<string, SourceMap | undefined>();
  for (const frame of frames) {
    const [, file, line, column] = /^\s+at .*?(?:file:\/\/)?([^\s()]+):(\d+):(\d+)\)?$/.exec(frame) ?? [];
    // Packages are never the place, and their source maps are large.
    if (!file || /^node:|[/\\]node_modules[/\\]@?\w/.test(file)) continue;
    if (!maps.has(file)) maps.set(file, readSourceMap(file));
    const place = origin(maps.get(file), Number(line), Number(column)) ?? { file, line: Number(line) };
    if (!inside.test(place.file)) return `${place.file.split(/[/\\]/).slice(-2).join('/')}:${place.line}`;
  }
  return undefined;
}

/** Where bundled code comes from, if the bundle has its source map beside it. */
function readSourceMap(file: string): SourceMap | undefined {
  try {
    const text = fs.readFileSync(`${decodeURI(file)}.map`, 'utf8');
    return new SourceMap(JSON.parse(text) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return undefined;
  }
}

function origin(map: SourceMap | undefined, line: number, column: number): Place | undefined {
  const entry = map?.findEntry(line - 1, column - 1);
  if (!entry || !('originalSource' in entry)) return undefined;
  return { file: entry.originalSource, line: entry.originalLine + 1 };
}
