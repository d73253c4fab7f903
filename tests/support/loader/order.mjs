import path from 'node:path';

const tests = path.resolve(import.meta.dirname, '../..');

/** Files that take long, by turns those that wait for processes and those that compute: none is left for the end. */
const slow = [
  'e2e/resume',
  'framework/plan/keys',
  'e2e/run',
  'components/engine/kernels/kernels',
  'e2e/results-folders',
  'components/resume',
  'e2e/why',
  'components/downstream/detection/mask-rcnn',
  'e2e/quick',
  'framework/run/halving',
  'e2e/failures',
  'framework/store/faults',
  'docs/examples',
  'framework/run/halving-plans',
  'e2e/records',
  'e2e/report',
  'components/micro-batches',
  'e2e/interrupts',
  'components/engine/steps/determinism',
  'e2e/gc',
  'framework/cli/quick/agrees',
  'e2e/sweep',
  'framework/plan/resolution-keys',
  'e2e/doctor',
  'framework/plan/sweep',
  'e2e/export',
  'components/downstream/segmentation',
  'e2e/sharing',
  'components/moving',
  'e2e/faults',
  'e2e/replicates',
  'e2e/rebuild',
  'e2e/limits',
  'framework/read/results',
].map((name) => path.join(tests, `${name}.test.ts`));

const rank = (file) => {
  const index = slow.indexOf(file);
  return index < 0 ? slow.length : index;
};

/** The order of ava's `sortTestFiles`: those first, then all others by name. */
export const slowFirst = (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1);
