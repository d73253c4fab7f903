import type { OfferedBy } from '../../framework/stage/define.ts';
import type { maskRcnn } from './detection/config.ts';
import type { fineTune } from './finetune/config.ts';
import type { knn } from './knn/config.ts';
import type { linearProbe } from './probe/config.ts';
import type { upernet } from './segmentation/config.ts';

type Task = typeof fineTune | typeof knn | typeof linearProbe | typeof maskRcnn | typeof upernet;

/** Metrics of the tasks that peco-exp has. */
export type OwnTaskMetric = OfferedBy<ReturnType<Task>>;

declare module '../../framework/stage/metric-names.ts' {
  interface TaskMetrics extends Record<OwnTaskMetric, true> {}
}
