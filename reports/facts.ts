import type { StageInput } from '../framework/stage/contract.ts';
import { describeCells, distinct, firstNames } from './cells.ts';
import { describeCounted } from './counted-codes.ts';
import { describeEngines } from './engines.ts';
import { type CellResult, readStageFacts, type TableConfig } from './results.ts';

type Inputs = { readonly [name: string]: StageInput };

/** The longest value of a data set's config that is shown. */
const longestValue = 60;

/**
 * What was used, in plain sentences without their full stops: read from the stages themselves, so that it can't disagree
 * with them. What they don't say is left out.
 */
export async function readFacts(
  table: TableConfig,
  results: readonly CellResult[],
  inputs: Inputs,
): Promise<readonly string[]> {
  const cells = table.cells.filter(({ input }) => inputs[input] !== undefined);
  const data = describeData(cells.flatMap(({ input, task }) => usesOf(task, inputs[input])));
  const images = distinct(results.flatMap(measuredImages));
  const facts: readonly (readonly [name: string, values: string])[] = [
    ['Data', data.join('; ')],
    ['Images measured', images.join(', ')],
    ['Seeds', distinct(table.cells.map(({ seed }) => String(seed))).join(', ')],
  ];
  return [
    ...facts.flatMap(([name, values]) => (values === '' ? [] : [`${name}: ${values}`])),
    ...(await describeEngines(results, inputs)),
    ...(await describeTokenizers(table, inputs)),
    ...describeTasks(results),
    ...(await describeCounted(results, inputs)),
  ];
}

/** `tokenizer 2,000 (codewordTop1: 10,000)`: a stage may measure some metrics on more images, or on fewer. */
function measuredImages({ task, metrics, perImage = {} }: CellResult): string[] {
  const { images } = metrics;
  if (!Number.isInteger(images)) return [];
  const others = Object.entries(perImage).flatMap(([metric, { length }]) =>
    length === images ? [] : [`${metric}: ${length.toLocaleString('en-US')}`],
  );
  return [`${task} ${images.toLocaleString('en-US')}${others.length > 0 ? ` (${others.join(', ')})` : ''}`];
}

/** A data set that something in the table has used. */
interface Use {
  readonly name: 'train' | 'test';
  readonly text: string;
  /** A task, or what comes before it. */
  readonly by: string;
}

/** The data of a cell, and of the pretraining and the tokenizer behind it: a task may have data of its own. */
function usesOf(task: string, stage: StageInput): Use[] {
  const { tokenizer, pretrained } = stage.inputs;
  const used = (by: string, from: StageInput | undefined, names: readonly Use['name'][]) =>
    names.flatMap((name): Use[] => {
      const leaf = from?.inputs[name];
      return leaf ? [{ name, text: describeConfig(leaf), by }] : [];
    });
  return [
    ...used('tokenizers', tokenizer ?? pretrained?.inputs.tokenizer, ['train']),
    ...used('pretraining', pretrained, ['train']),
    ...used(task === 'tokenizer' ? 'measures of tokenizers' : task, stage, ['train', 'test']),
  ];
}

/** `train A; test B`; where not all have used the same, `train of pretraining, probe: A; train of detection: C`. */
function describeData(uses: readonly Use[]): string[] {
  const textsOf = (asked: string) =>
    distinct(uses.filter(({ name }) => name === asked).map(({ text }) => text));
  const names = distinct(uses.map(({ name }) => name));
  return names.flatMap((name) => {
    const texts = textsOf(name);
    if (texts.length === 1) return [`${name} ${texts[0]}`];
    return texts.map((text) => {
      const by = distinct(uses.filter((use) => use.name === name && use.text === text).map((use) => use.by));
      return `${name} of ${by.join(', ')}: ${text}`;
    });
  });
}

/** What the stages of a task say of their numbers; and of which rows, where that isn't all. */
function describeTasks(results: readonly CellResult[]): string[] {
  return distinct(results.map(({ task }) => task)).flatMap((task) => {
    const own = results.filter((cell) => cell.task === task);
    const name = task === 'tokenizer' ? 'Measures of tokenizers' : `Task ${task}`;
    return distinct(own.flatMap(({ about }) => about ?? [])).map((about) => {
      const saying = own.filter((cell) => cell.about === about);
      return `${name}${saying.length === own.length ? '' : ` (${describeCells(saying, own)})`}: ${about}`;
    });
  });
}

/** One line for the rows whose tokenizers say the same of themselves; a row is in two where its own say different things. */
async function describeTokenizers({ variants, cells }: TableConfig, inputs: Inputs): Promise<string[]> {
  const described = variants.map(async (variant) => {
    const own = cells.filter((cell) => cell.variant === variant);
    const tokenizers = own.flatMap(({ input }) => tokenizerOf(inputs[input]) ?? []);
    const texts = distinct(await Promise.all([...new Set(tokenizers)].map(describeTokenizer)));
    return texts.map((text) => ({ variant, text }));
  });
  const all = (await Promise.all(described)).flat();
  return distinct(all.map(({ text }) => text)).map((text) => {
    const rows = all.filter((one) => one.text === text).map(({ variant }) => variant);
    return `Tokenizer of ${firstNames(rows)}: ${text}`;
  });
}

/** Of an evaluation, or of the pretraining of a downstream task. */
function tokenizerOf(stage: StageInput | undefined): StageInput | undefined {
  return stage?.inputs.tokenizer ?? stage?.inputs.pretrained?.inputs.tokenizer;
}

/** `vqvae, pixel loss and ...; network trained on 9,000 labels (vgg)` */
async function describeTokenizer(tokenizer: StageInput): Promise<string> {
  const nested = Object.entries(tokenizer.inputs).filter(([name]) => name !== 'train' && name !== 'previous');
  const parts = nested.map(async ([name, input]) => {
    const about = await aboutOf(input);
    return about === undefined ? `${name} ${input.kind}` : `${about} (${input.kind})`;
  });
  const about = await aboutOf(tokenizer);
  const own = about === undefined ? tokenizer.kind : `${tokenizer.kind}, ${about}`;
  return [own, ...(await Promise.all(parts))].join('; ');
}

async function aboutOf(input: StageInput): Promise<string | undefined> {
  return input.dir === '' ? undefined : (await readStageFacts(input)).about;
}

/** `fashion-mnist (split train, size 32)`: kind and config, as they are. */
function describeConfig({ kind, config }: StageInput): string {
  const fields = Object.entries(config).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${name} ${text.length > longestValue ? `${text.slice(0, longestValue)}…` : text}`;
  });
  return fields.length === 0 ? kind : `${kind} (${fields.join(', ')})`;
}
