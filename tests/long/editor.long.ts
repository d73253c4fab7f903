import fs from 'node:fs';
import { createRequire } from 'node:module';
import test from 'ava';
import type { Project } from '../support/project.ts';
import { compile, installInto, isReachable, packRepository } from './support/packed.ts';

/** The part of TypeScript's API that is used here. TypeScript 7 has none, so it is that of attw's own version. */
interface Compiler {
  readonly sys: { readonly [name: string]: unknown };
  readonly ScriptSnapshot: { fromString(text: string): unknown };
  getDefaultLibFilePath(options: unknown): string;
  parseJsonConfigFileContent(json: unknown, host: unknown, folder: string): { readonly options: object };
  displayPartsToString(parts: unknown): string;
  createLanguageService(host: object): {
    getQuickInfoAtPosition(file: string, place: number): QuickInfo | undefined;
    getCompletionsAtPosition(
      file: string,
      place: number,
      options: object,
    ): { readonly entries: readonly { readonly name: string }[] } | undefined;
  };
}

interface QuickInfo {
  readonly documentation?: unknown;
  readonly tags?: readonly { readonly name: string; readonly text?: unknown }[];
}

const inAttw = createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/core'));
const proof = isReachable ? test : test.skip;

/** What an editor shows at each mark of a file. */
function openEditor(project: Project, name: string) {
  const compiler = inAttw('typescript') as Compiler;
  const { sys } = compiler;
  const { options } = compiler.parseJsonConfigFileContent(
    JSON.parse(project.read('tsconfig.json')),
    sys,
    project.dir,
  );
  const file = project.file(name);
  const text = project.read(name);
  const service = compiler.createLanguageService({
    ...sys,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (asked: string) =>
      fs.existsSync(asked) ? compiler.ScriptSnapshot.fromString(fs.readFileSync(asked, 'utf8')) : undefined,
    getCurrentDirectory: () => project.dir,
    getCompilationSettings: () => options,
    getDefaultLibFileName: compiler.getDefaultLibFilePath,
    useCaseSensitiveFileNames: () => true,
  });
  const placeOf = (mark: string) => text.indexOf(mark) + mark.length;
  return {
    /** Comment and default of the field behind a mark. */
    hover(mark: string): string {
      const { documentation, tags = [] } = service.getQuickInfoAtPosition(file, placeOf(mark)) ?? {};
      const told = tags.map((tag) => `@${tag.name} ${compiler.displayPartsToString(tag.text)}`);
      return [compiler.displayPartsToString(documentation), ...told].join(' ');
    },
    complete: (mark: string) =>
      service.getCompletionsAtPosition(file, placeOf(mark), {})?.entries.map((entry) => entry.name) ?? [],
  };
}

const experiment = `
import {
  ablationTable, defineExperiment, fashionMnist, fineTune, inception, maskedImageModelling, product, successiveHalving,
  tokenizerEvaluation, vgg, vit, vqvae,
} from 'peco-exp';
import { readResults } from 'peco-exp/results';

const beit = vqvae({ /*steps*/steps: 4, /*batch*/batchSize: 8, codebook: { /*size*/size: 16 }, view: { /*flip*/flip: 0 } });
const peco = vqvae({ steps: 4, loss: { perceptual: { network: inception(), layers: ['/*layer*/'] } } });
const network = vgg({ /*width*/width: 8 });
const base = maskedImageModelling({
  steps: 4,
  backbone: vit({ /*dim*/dim: 16, depth: 1, heads: 2, patch: 8 }),
});
const experiment = defineExperiment({
  name: 'hover',
  seeds: [0],
  data: { train: fashionMnist({ split: 'train' }), test: fashionMnist({ split: 'test' }) },
  tokenizers: { beit, peco },
  pretraining: { base },
  downstream: { finetune: fineTune({ /*labels*/labels: 10, steps: 4 }) },
  evaluation: tokenizerEvaluation(),
  baseline: '/*baseline*/',
  sweep: successiveHalving(product({ 'tokenizers.peco.codebook.dim': [8, 16] }), { rungs: [2], metric: '/*measure*/' }),
  report: ablationTable({ columns: [{ label: 'any', metric: '/*column*/' }] }),
});
const results = await readResults(experiment);
results.values('peco', 'finetune', '/*metric*/');
export default network;
`;

proof(
  'in an installed package an editor shows comments and defaults of fields, and completes names',
  async (t) => {
    t.timeout(20 * 60_000);
    const files = { 'experiment.ts': experiment };
    const project = await installInto(t, { files, tarball: await packRepository(t), by: 'npm' });
    // Its marks are names that there aren't: errors in this file, none in the declarations.
    const errors = await compile(project, 'nodenext', ['experiment.ts']);
    t.true(
      errors.split('\n').every((line) => line === '' || /^(experiment\.ts| )/.test(line)),
      errors,
    );
    const { hover, complete } = openEditor(project, 'experiment.ts');
    t.is(hover('/*size*/'), 'Number of codes: K. @default 256');
    t.is(hover('/*batch*/'), 'Images a step. @default 64');
    t.is(hover('/*flip*/'), 'Probability that an image is mirrored left to right. @default 0.5');
    t.is(hover('/*width*/'), 'Channels of the first stage; VGG16 has 64. @default 32');
    t.regex(hover('/*steps*/'), /^Steps of the optimiser/);
    t.is(hover('/*dim*/'), 'Numbers a token.');
    t.regex(hover('/*labels*/'), /^Labelled training images in all/);
    t.true(complete("layers: ['").includes('mixed0') && complete("baseline: '").includes('peco'));
    t.true(complete("'finetune', '").includes('top1') && !complete("'finetune', '").includes('psnr'));
    t.true(complete("metric: '").includes('psnr') && !complete("metric: '").includes('top1'));
    const columns = complete("label: 'any', metric: '");
    for (const name of ['top1', 'mIoU', 'boxAP', 'psnr']) t.true(columns.includes(name), name);
    // The one that names no tokenizer, with those that there are; a column may have any name, and is for the loader to check.
    t.is(
      errors.match(
        /Type '"\/\*baseline\*\/"' is not assignable to type '"peco" \| "beit"'|'"beit" \| "peco"'/g,
      )?.length,
      1,
    );
    t.false(errors.includes('/*column*/'));
  },
);
