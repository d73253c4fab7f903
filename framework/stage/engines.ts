import type { Json, JsonObject } from './json.ts';

/** An engine that computed steps of a stage, from one on. */
export interface EngineSpan extends JsonObject {
  /** As the user names it: `onnx`, `tensorflow:bf16`. */
  readonly engine: string;
  /** How many steps were done when it began. */
  readonly from: number;
}

/** What went before, and what `engine` computes after so many steps. */
export function continueWith(
  before: readonly EngineSpan[],
  engine: string,
  step: number,
): readonly EngineSpan[] {
  const kept = spansBefore(before, step);
  return kept.at(-1)?.engine === engine ? kept : [...kept, { engine, from: step }];
}

/** Who computed the first `step` steps: an engine that began at the last of them is left out. */
export function spansBefore(spans: readonly EngineSpan[], step: number): readonly EngineSpan[] {
  return spans.filter(({ from }) => from < step);
}

/** `onnx`, or `onnx, from step 60 tensorflow:bf16` */
export function formatEngines(spans: readonly EngineSpan[]): string {
  return spans.map(({ engine, from }) => (from === 0 ? engine : `from step ${from} ${engine}`)).join(', ');
}

/** The spans that JSON has; undefined if it's no list of them in their order. Names may be of any engine, known or not. */
export function parseEngines(value: Json | undefined): readonly EngineSpan[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const spans = value as readonly Partial<EngineSpan>[];
  const isSound = spans.every((span, index) => {
    const { engine, from } = span ?? {};
    const last = spans[index - 1]?.from ?? -1;
    return isEngineName(engine) && typeof from === 'number' && Number.isSafeInteger(from) && from > last;
  });
  return isSound ? (spans as readonly EngineSpan[]) : undefined;
}

function isEngineName(name: unknown): boolean {
  return typeof name === 'string' && /^[a-z][\w:+.-]{0,63}$/i.test(name);
}
