import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { StageContext, StageFunction, StageInput } from '../../framework/stage/contract.ts';
import type { Dataset } from './types.ts';

/** Among the outputs of a stage whose data has left images out. */
export const skippedFile = 'skipped.txt';

/**
 * The same stage, which says what its data sets have left out: how many in what the table says of it and as a warning, and
 * each with its reason in `skipped.txt`. It says their `notes`, too.
 */
export function reportSkipped<Config extends object, Inputs extends object>(
  run: StageFunction<Config, Inputs>,
): StageFunction<Config, Inputs> {
  return async (context) => {
    const lines: string[] = [];
    const counts = new Map<string, string>();
    const notes = new Set<string>();
    const note = (name: string, { count, skipped = [], notes: own = [] }: Partial<Dataset>): void => {
      for (const line of own.map((text) => `${name} images: ${text}`)) {
        if (!notes.has(line)) context.warn?.(line);
        notes.add(line);
      }
      if (skipped.length === 0 || counts.has(name)) return;
      const many = (number: number) => number.toLocaleString('en-US');
      const of = many((count ?? 0) + skipped.length);
      counts.set(
        name,
        `${many(skipped.length)} of ${of} ${name} images left out, since they can't be decoded`,
      );
      lines.push(...skipped.map((one) => `${name} ${one.name}: ${one.reason}\n`));
      const more = skipped.length > 1 ? ` and others; ${skippedFile} among its outputs lists them` : '';
      context.warn?.(`${counts.get(name)}: ${skipped[0]!.name}${more}`);
    };
    const inputs = Object.entries(context.inputs as StageContext['inputs']).map(([name, input]) => {
      const load = async (): Promise<unknown> => {
        const loaded = await input.load();
        note(name, loaded as Partial<Dataset>);
        return loaded;
      };
      return [name, { ...input, load } satisfies StageInput] as const;
    });
    const result = await run({ ...context, inputs: Object.fromEntries(inputs) as typeof context.inputs });
    if (lines.length > 0) await writeFile(path.join(context.outDir, skippedFile), lines.sort().join(''));
    const left = [...[...counts.values()].sort(), ...[...notes].sort()];
    if (left.length === 0) return result;
    const said = [...(result.about === undefined ? [] : [result.about]), ...left];
    return { ...result, about: said.join('; ') };
  };
}
