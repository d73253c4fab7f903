import type { OfferedBy } from '../../../framework/stage/define.ts';
import type { tokenizerEvaluation } from './config.ts';

/** Metrics of tokenizers that peco-exp measures. */
export type OwnTokenizerMetric = OfferedBy<ReturnType<typeof tokenizerEvaluation>>;

declare module '../../../framework/stage/metric-names.ts' {
  interface TokenizerMetrics extends Record<OwnTokenizerMetric, true> {}
}
