/**
 * What stages and loaders of one's own are written with: `peco-exp/kit`. docs/reference/kit.md is made of it.
 * A stage's key counts the code behind the names that it takes from here, not all of it.
 */

// ## Roles

export type { Backbone } from './components/backbone/checkpoint.ts';
export type { ImageInstances, Instance, LabelMap } from './components/data/targets.ts';
export type { Dataset, ImageBytes } from './components/data/types.ts';
export type { ClassificationInputs } from './components/downstream/start.ts';
export type { FeatureNetwork, NetworkWeights } from './components/perceptual/types.ts';
export type { TokenizerInputs } from './components/tokenizer/reconstruction.ts';
export type { Tokenizer } from './components/tokenizer/tokenizer.ts';
export type {
  LoadFunction,
  StageContext,
  StageFunction,
  StageInput,
  StageResult,
} from './framework/stage/contract.ts';
export { StageError } from './framework/stage/stage-error.ts';

// ## Engine

export { openEngine } from './components/engine/open.ts';
export { tf } from './components/engine/tf.ts';
export {
  type Dtype,
  type Engine,
  EngineError,
  type EngineOptions,
  type HostOf,
  type HostTensor,
  type Program,
  type ProgramOptions,
  type SpecOf,
  type State,
  type Step,
  type TensorSpec,
  type Tree,
} from './components/engine/types.ts';
export {
  bytesTensor,
  type HostTree,
  hostScalar,
  hostTensor,
  leaves,
  mapTree,
  type TreeOf,
} from './components/nn/tree.ts';
export { unit } from './components/nn/unit.ts';

// ## Random numbers

export { uniformRows } from './components/engine/uniform.ts';
export { type Random, random } from './components/nn/random.ts';

// ## Layers and losses

export { fanInUniform, heNormal, normal, truncatedNormal, zeros } from './components/nn/init.ts';
export {
  type Affine,
  conv,
  dense,
  depthToSpace,
  gelu,
  groupNorm,
  initConv,
  initDense,
  initNorm,
  layerNorm,
  type Norm,
  silu,
} from './components/nn/layers.ts';
export { accuracy, crossEntropy, meanSquaredError } from './components/nn/losses.ts';
export { stopGradient, valueAndGradients } from './components/training/gradients.ts';

// ## Training

export {
  type Batches,
  type FitOptions,
  type Fitted,
  fit,
  type MicroBatch,
} from './components/training/fit.ts';
export { openImages } from './components/training/images.ts';
export { type Training, train } from './components/training/loop.ts';
export type { Given, Losses, Named, Objective, Rest } from './components/training/objective.ts';
export {
  type AdamWOptions,
  adamw,
  initMoments,
  type Moments,
  type StepScalars,
} from './components/training/optimizer.ts';
export {
  askForLength,
  defineRecipe,
  oneLength,
  type Plan,
  type Recipe,
  type RecipeDefaults,
  smokeRecipe,
} from './components/training/recipe.ts';
export { cosine, learningRateAt, stepScalars } from './components/training/schedule.ts';

// ## Test images

export { resampled } from './components/downstream/resampled.ts';

// ## Data

export type { Loader } from './components/data/batches.ts';
export { imagesAt, type LoaderOptions, onePass, openLoader, type Sampled } from './components/data/loader.ts';
export { reportSkipped } from './components/data/skipped.ts';
export { smokeView } from './components/data/smoke.ts';
export { balancedSubset, labelsOf, subset } from './components/data/subset.ts';
export {
  type Picture,
  plainView,
  type StillView,
  sizeOf,
  stillOf,
  stillViewSchema,
  type View,
  viewSchema,
} from './components/data/views/view.ts';
export { smokeGeometry } from './components/nn/smoke.ts';

// ## Weights

export { file, type WeightsFile, weightsField, weightsFiles } from './components/weights/file.ts';
export { openWeights } from './components/weights/open.ts';
export { type PickOptions, pick, type Wanted } from './components/weights/pick.ts';
export { loadTree, saveTree } from './components/weights/safetensors.ts';
export type { TensorFile } from './components/weights/tensors.ts';

// ## Tokenizers

export {
  applyDecoder,
  applyEncoder,
  type Decoder,
  type Encoder,
  initDecoder,
  initEncoder,
} from './components/tokenizer/autoencoder.ts';
export { bestCodes, nearestCodes } from './components/tokenizer/codebook.ts';
export { expectTokenizable } from './components/tokenizer/expect.ts';

// ## Tasks

export type { VitConfig } from './components/backbone/config.ts';
export {
  applyBlocks,
  embedPatches,
  meanOfPatches,
  type Vit,
  withPositions,
} from './components/backbone/vit.ts';
export { startingBackbone } from './components/downstream/start.ts';
export { type ForwardOptions, forward, type Rows } from './components/training/classify.ts';
export { countOnes, rightRows, shareOf } from './components/training/right.ts';

// ## Reports

export type { TableConfig } from './framework/stage/table.ts';
export type { TableCell, TableDifference } from './reports/column.ts';
export { formatSigned, formatValue } from './reports/format.ts';
export {
  type CellResult,
  type InTable,
  readResults as readCells,
} from './reports/results.ts';
export {
  type AblationTable,
  buildTable,
  type TableColumn,
  type TableRow,
} from './reports/table.ts';
