import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { vit } from '../../../components/backbone/config.ts';
import { maskedImageModelling } from '../../../components/pretraining/mim/config.ts';
import { run as runMim } from '../../../components/pretraining/mim/stage.ts';
import { dvae } from '../../../components/tokenizer/dvae/config.ts';
import { run as runDvae } from '../../../components/tokenizer/dvae/stage.ts';
import { vqvae } from '../../../components/tokenizer/vqvae/config.ts';
import { run as runVqvae } from '../../../components/tokenizer/vqvae/stage.ts';
import { parseSafetensors } from '../../../components/weights/safetensors.ts';
import type { Component } from '../../../framework/stage/component.ts';
import { createProject } from '../../support/project.ts';
import { type Attempt, attemptStage } from '../../support/stage-runner.ts';
import { inputsOf, kinds } from './trainings.ts';

const training = { steps: 6, batchSize: 8, microBatch: 4, warmup: 2 };
const tokenizer = { ...training, width: 16, stride: 8, residualBlocks: 1 } as const;
const codebook = { size: 8, dim: 4 };
const backbone = vit({ dim: 16, depth: 2, heads: 2, patch: 8 });

/** In micro-batches; with moving averages: those of a codebook, and (dalle) of all weights. */
export const movable = {
  vqvae: { component: vqvae({ ...tokenizer, codebook }), run: runVqvae },
  dvae: { component: dvae({ ...tokenizer, codebook }), run: runDvae },
  mim: {
    component: maskedImageModelling({ ...training, backbone, dropPath: 0.5, view: { jitter: 0.4 } }),
    run: runMim,
  },
  dalle: kinds.dalle,
} as const satisfies { readonly [kind: string]: { component: Component; run: unknown } };

/** Which engine computes until which step, and the last one to the end. */
export interface Move {
  readonly first: number;
  readonly second: number;
  readonly engine: string;
  /** How far weights and losses may be from those of a training that stays on `onnx`. */
  readonly within: number;
}

/** Registers: a training that moves from `onnx` to an engine and back ends where one that stays on `onnx` ends. */
export function movesThere(kind: keyof typeof movable, { first, second, engine, within }: Move): void {
  const { component, run } = movable[kind];
  test(`${kind}: onnx to step ${first}, ${engine} to ${second}, onnx again: as on onnx alone, within ${within}`, async (t) => {
    t.deepEqual(component.issues, []);
    const { dir } = createProject(t, {});
    const warnings: string[] = [];
    const attempt = (options: Pick<Attempt, 'name' | 'engine' | 'stopAt'>) =>
      attemptStage(run as never, {
        ...{ ...options, dir, config: component.config, inputs: inputsOf(dir) },
        onWarning: (message) => warnings.push(message),
      });
    const whole = await attempt({ name: 'whole' });
    t.deepEqual(whole.engines, [{ engine: 'onnx', from: 0 }]);
    t.is((await attempt({ name: 'moved', stopAt: first })).end, 'stopped');
    t.is((await attempt({ name: 'moved', engine, stopAt: second })).end, 'stopped');
    const moved = await attempt({ name: 'moved' });
    t.is(moved.past.resumedFrom, second);
    t.deepEqual(moved.engines, [
      { engine: 'onnx', from: 0 },
      { engine, from: first },
      { engine: 'onnx', from: second },
    ]);
    t.deepEqual(warnings, [
      `resumes at step ${first}, computed by onnx, with ${engine}: its results will say so`,
      `resumes at step ${second}, computed by ${engine}, with onnx: its results will say so`,
    ]);
    t.is(moved.shown[0]?.step, second, 'what was computed is not computed again');

    const names = Object.keys(whole.files).filter((name) => name.endsWith('.safetensors'));
    t.true(names.length > 0);
    for (const name of names) {
      const [stayed, came] = ['whole', 'moved'].map((each) => valuesIn(path.join(dir, `out-${each}`, name)));
      const worst = largestDifference(stayed!, came!);
      t.true(worst <= within, `${name}: ${worst}`);
    }
    for (const [metric, value] of Object.entries(whole.metrics)) {
      const off = Math.abs(moved.metrics[metric]! - value) / Math.max(1, Math.abs(value));
      t.true(off <= within, `${metric}: ${off}`);
    }
  });
}

function valuesIn(file: string): ReadonlyMap<string, Float32Array> {
  const { tensors } = parseSafetensors(fs.readFileSync(file), file);
  return new Map(
    Object.entries(tensors).map(([name, { bytes }]) => [
      name,
      new Float32Array(Uint8Array.from(bytes).buffer),
    ]),
  );
}

function largestDifference(
  one: ReadonlyMap<string, Float32Array>,
  other: ReadonlyMap<string, Float32Array>,
): number {
  const all = [...one].flatMap(([name, values]) =>
    Array.from(values, (value, index) => Math.abs(value - other.get(name)![index]!)),
  );
  return all.reduce((most, value) => Math.max(most, value), 0);
}
