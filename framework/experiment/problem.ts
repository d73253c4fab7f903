import type { ConfigIssue } from '../stage/component.ts';

/** Something wrong with an experiment, with the path from its root. */
export interface Problem extends ConfigIssue {
  /** The flag by which the user wrote it, without its dashes: it isn't in the file. */
  readonly origin?: string;
  readonly value?: unknown;
  /** The value isn't written anywhere: it is the default. */
  readonly byDefault?: boolean;
  /** The path where it is written, if the field is changed from elsewhere: by `override` or a sweep. */
  readonly written?: ConfigIssue['path'];
}
