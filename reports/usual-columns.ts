import type { Metric } from '../framework/stage/metric-names.ts';

/** As a column in the config of `ablationTable`. */
interface UsualColumn {
  readonly metric: Metric;
  readonly label: string;
  readonly scale: number;
  readonly digits: number;
  readonly better: 'higher' | 'lower';
}

/** The columns of a table that names none. */
export const usualColumns: UsualColumn[] = [
  { metric: 'top1', label: 'top-1 %', scale: 100, digits: 2, better: 'higher' },
  { metric: 'mIoU', label: 'mIoU %', scale: 100, digits: 2, better: 'higher' },
  { metric: 'boxAP', label: 'box AP', scale: 100, digits: 2, better: 'higher' },
  { metric: 'maskAP', label: 'mask AP', scale: 100, digits: 2, better: 'higher' },
  { metric: 'codewordTop1', label: 'codeword probe top-1 %', scale: 100, digits: 2, better: 'higher' },
  { metric: 'psnr', label: 'PSNR dB', scale: 1, digits: 2, better: 'higher' },
  { metric: 'usage', label: 'codes used %', scale: 100, digits: 1, better: 'higher' },
  { metric: 'perplexity', label: 'perplexity', scale: 1, digits: 1, better: 'higher' },
];
