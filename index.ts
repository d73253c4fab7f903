/** What experiment files import. Everything else is internal and may change. */
export type { Backbone } from './components/backbone/checkpoint.ts';
export { type VitConfig, type VitInput, vit } from './components/backbone/config.ts';
export { ade20k } from './components/data/readers/ade20k/config.ts';
export { coco } from './components/data/readers/coco/config.ts';
export { type CompositesConfig, composites } from './components/data/readers/composites/config.ts';
export { fashionMnist } from './components/data/readers/fashion-mnist/config.ts';
export { imageFolder } from './components/data/readers/image-folder/config.ts';
export { labelMaps } from './components/data/readers/label-maps/config.ts';
export type { ImageInstances, Instance, LabelMap } from './components/data/targets.ts';
export type { Dataset, ImageBytes } from './components/data/types.ts';
export { beitFineTuningView, beitPretrainingView } from './components/data/views/presets.ts';
export type { StillView, View } from './components/data/views/view.ts';
export { type MaskRcnnConfig, maskRcnn } from './components/downstream/detection/config.ts';
export { type FineTuneConfig, fineTune } from './components/downstream/finetune/config.ts';
export { type KnnConfig, knn } from './components/downstream/knn/config.ts';
export type { OwnTaskMetric } from './components/downstream/metric-names.ts';
export { type LinearProbeConfig, linearProbe } from './components/downstream/probe/config.ts';
export { type UperNetConfig, upernet } from './components/downstream/segmentation/config.ts';
export { inception } from './components/perceptual/inception/config.ts';
export type { FeatureNetwork } from './components/perceptual/types.ts';
export { type VggConfig, vgg } from './components/perceptual/vgg/config.ts';
export { type VitConfig as VitFeaturesConfig, vitFeatures } from './components/perceptual/vit/config.ts';
export {
  type MaskedImageModellingConfig,
  maskedImageModelling,
} from './components/pretraining/mim/config.ts';
export { type DalleConfig, dalle } from './components/tokenizer/dalle/config.ts';
export { type DvaeConfig, dvae } from './components/tokenizer/dvae/config.ts';
export {
  type TokenizerEvaluationConfig,
  tokenizerEvaluation,
} from './components/tokenizer/evaluation/config.ts';
export type { OwnTokenizerMetric } from './components/tokenizer/evaluation/metric-names.ts';
export type { Tokenizer } from './components/tokenizer/tokenizer.ts';
export { type VqvaeConfig, vqvae } from './components/tokenizer/vqvae/config.ts';
export { file, type WeightsFile } from './components/weights/file.ts';
export {
  type Halving,
  type HalvingOptions,
  successiveHalving,
} from './framework/experiment/changes/halving.ts';
export { override } from './framework/experiment/changes/override.ts';
export {
  choice,
  type Distribution,
  integer,
  logUniform,
  powerOfTwo,
  random,
  type Space,
  uniform,
} from './framework/experiment/changes/sample.ts';
export {
  chain,
  type Point,
  product,
  type Sweep,
  type SweepPart,
  zip,
} from './framework/experiment/changes/sweep.ts';
export { defineExperiment, type Experiment, type ExperimentInput } from './framework/experiment/define.ts';
export { env, envIfSet } from './framework/experiment/environment.ts';
export { added } from './framework/stage/added.ts';
export type {
  Component,
  ConfigIssue,
  NeededFile,
  Role,
  SmokeChanges,
  SmokeContext,
  SmokeInput,
  WiredInput,
  WiredInputs,
  WiringIssue,
} from './framework/stage/component.ts';
export type {
  Checkpoint,
  Checkpoints,
  ExportFunction,
  LoadFunction,
  PagesContext,
  PagesFunction,
  Progress,
  ReportFile,
  StageContext,
  StageFunction,
  StageInput,
  StageRecord,
  StageResult,
} from './framework/stage/contract.ts';
export {
  addFlops,
  type Costs,
  countFlops,
  type Flops,
  scaleFlops,
  type UseCosts,
} from './framework/stage/costs.ts';
export { component, defineComponent } from './framework/stage/define.ts';
export { disk } from './framework/stage/disk.ts';
export {
  expectAlike,
  expectAtLeast,
  expectAtMost,
  expectDivisor,
  expectEqual,
} from './framework/stage/expect.ts';
export type { Json, JsonObject } from './framework/stage/json.ts';
export { StageError } from './framework/stage/stage-error.ts';
export { type AblationTableConfig, ablationTable } from './reports/config.ts';
