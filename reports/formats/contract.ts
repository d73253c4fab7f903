import type { ReportFile } from '../../framework/stage/contract.ts';
import type { FullReport, Report } from '../report.ts';

/**
 * A format of a report. It gets the finished report and returns files, whose names are its own: no two formats write one
 * name. Names of variants, tasks, metrics and stages may hold any character; a format shows them as text, whatever its
 * reader would make of them. The same report gives the same bytes.
 */
export interface Format<R extends Report = Report> {
  readonly name: string;
  files(report: R): readonly ReportFile[];
}

/** A format that says how the results were made, too. It is written beside the stored tables, not with them. */
export type FullFormat = Format<FullReport>;
