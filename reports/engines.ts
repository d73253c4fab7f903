import type { StageInput } from '../framework/stage/contract.ts';
import { describeCells, distinct } from './cells.ts';
import { type CellResult, readStageFacts, type StageFacts } from './results.ts';

/** A stage of a row: what it is, and who computed it. */
interface Computed {
  readonly what: string;
  readonly engine: string;
  readonly cell: CellResult;
}

/** One line where one engine computed all of it; else one for each kind of stage and engine, with the rows. */
export async function describeEngines(
  results: readonly CellResult[],
  inputs: { readonly [name: string]: StageInput },
): Promise<string[]> {
  const known = new Map<string, Promise<StageFacts>>();
  const above: Computed[] = [];
  for (const cell of results) {
    const input = inputs[cell.input];
    for (const [what, stage] of input === undefined ? [] : stagesAbove(input)) {
      if (!known.has(stage.dir)) known.set(stage.dir, readStageFacts(stage));
      above.push({ what, engine: (await known.get(stage.dir)!).engine, cell });
    }
  }
  const own = results.map((cell) => ({ what: nameOfTask(cell.task), engine: cell.engine, cell }));
  const computed: readonly Computed[] = [...above, ...own];
  const engines = distinct(computed.map(({ engine }) => engine));
  if (engines.length < 2) return engines.map((engine) => `Engine: ${engine}`);
  return distinct(computed.map(({ what }) => what)).flatMap((what) => {
    const all = computed.filter((one) => one.what === what);
    return distinct(all.map(({ engine }) => engine)).map((engine) => {
      const some = all.filter((one) => one.engine === engine);
      return `Engine of ${what}${rowsOf(some, all)}: ${engine}`;
    });
  });
}

/** What a stage was made of, what comes first first: the network of the tokenizer, the tokenizer, the pretraining. */
function stagesAbove({ inputs }: StageInput): [what: string, stage: StageInput][] {
  return Object.entries(inputs).flatMap(([name, input]): [string, StageInput][] => {
    // The rung before: who computed it is in what goes on from it.
    if (name === 'previous') return [];
    const own: [string, StageInput][] = input.dir === '' ? [] : [[nameOfInput(name), input]];
    return [...stagesAbove(input), ...own];
  });
}

function nameOfInput(name: string): string {
  return { tokenizer: 'tokenizers', pretrained: 'pretraining', network: 'networks' }[name] ?? name;
}

function nameOfTask(task: string): string {
  return task === 'tokenizer' ? 'measures of tokenizers' : task;
}

/** ` (pixel, peco seed 1)`; nothing where all are meant. */
function rowsOf(some: readonly Computed[], all: readonly Computed[]): string {
  const cells = (of: readonly Computed[]) => [
    ...new Map(of.map(({ cell }) => [`${cell.seed} ${cell.variant}`, cell])).values(),
  ];
  const [own, every] = [cells(some), cells(all)];
  return own.length === every.length ? '' : ` (${describeCells(own, every)})`;
}
