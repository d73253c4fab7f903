/**
 * Metrics of the tasks that there are, for editors to complete: keys are the names. Components add theirs where they are
 * declared (`declare module`), so that the framework knows none.
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is added to
export interface TaskMetrics {}

/** The same of what measures tokenizers. */
// biome-ignore lint/suspicious/noEmptyInterface: it is added to
export interface TokenizerMetrics {}

/** Any name: a component of a project's own may have others. */
export type TokenizerMetric = keyof TokenizerMetrics | (string & {});

/** A metric of a task or of a tokenizer. */
export type Metric = keyof TaskMetrics | TokenizerMetric;
