import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { SmokeChanges, SmokeContext } from '../../../framework/stage/component.ts';
import { defineComponent } from '../../../framework/stage/define.ts';
import { expectDivisor, factOf } from '../../../framework/stage/expect.ts';
import { smokeGeometry } from '../../nn/smoke.ts';
import { neededFile, weightsField } from '../../weights/file.ts';
import { refusedFields } from '../../weights/refused.ts';
import { tokenizerExports } from '../config.ts';
import type { DalleForm } from '../dalle/architecture.ts';
import { dalleUse } from '../dalle/costs.ts';
import { formFields } from '../dalle/fields.ts';
import { PUBLISHED } from './layout.ts';

const schema = z.strictObject({
  /** `{ encoder: file('encoder.pkl'), decoder: file('decoder.pkl') }`: OpenAI's files, or state dicts with their names. */
  weights: z.strictObject({ encoder: weightsField, decoder: weightsField }),
  ...formFields,
});

export type ImportedDalleConfig = z.output<typeof schema>;
export type ImportedDalleInput = z.input<typeof schema>;

/**
 * Makes DALL-E's dVAE with weights that were trained elsewhere: what `dalle({ weights })` returns.
 *
 * @param others fields of one that is trained here: beside `weights` they are errors
 */
export function defineImportedDalle(others: readonly string[]) {
  return defineComponent({
    role: 'tokenizer',
    kind: 'dalle-imported',
    schema: schema.extend(refusedFields(others, schema.shape)) as unknown as typeof schema,
    run: new URL('./stage.ts', import.meta.url).href,
    load: new URL('../dalle/load.ts', import.meta.url).href,
    files: (_config, { weights }) => ({
      encoder: neededFile(weights.encoder, ['weights', 'encoder'], PUBLISHED.encoder),
      decoder: neededFile(weights.decoder, ['weights', 'decoder'], PUBLISHED.decoder),
    }),
    // Nothing of it depends on a seed: all seeds of an experiment share one.
    derive: () => ({ seed: 0 }),
    expects: ({ stride }, { train }) =>
      expectDivisor({ path: ['stride'], value: stride }, train, 'size', 'tokens tile an image'),
    provides: ({ stride, codebook }) => ({ stride, vocabulary: codebook.size }),
    use: (config, size) => dalleUse(config, size),
    costs: () => ({ parameters: 0 }),
    smoke: smokeImported,
    exports: tokenizerExports,
  });
}

/** The smallest files of their kind, random numbers: see make-smoke.py. */
function smokeFile(side: string, stride: number) {
  return {
    file: fileURLToPath(new URL(`./smoke/${side}-${stride}.pkl`, import.meta.url)),
    sha256: undefined,
  };
}

function smokeImported({ stride }: DalleForm, { inputs }: SmokeContext): SmokeChanges {
  const size = factOf(inputs.train, 'size') ?? Number.POSITIVE_INFINITY;
  const smaller = Math.min(8, smokeGeometry({ size, stride }).stride);
  return {
    weights: { encoder: smokeFile('encoder', smaller), decoder: smokeFile('decoder', smaller) },
    ...{ width: 4, stride: smaller, residualBlocks: 1, codebook: { size: 16, dim: 8 } },
  };
}
