import type { Json } from '../../stage/json.ts';
import { StageError } from '../../stage/stage-error.ts';

/** The numbers that a stage has shown or logged, by name: the last one of each. */
export interface Reported {
  /** `values` may be nested, as records of the history are. */
  note(values: Json, step?: number): void;
  /**
   * An error where the last report of a number wasn't finite. A training that ends so has failed, whatever metrics its stage
   * returns; one that was NaN or infinite on the way and is finite again has not.
   */
  problem(): StageError | undefined;
}

export function openReported(): Reported {
  const bad = new Map<string, { readonly value: number; readonly step: number | undefined }>();
  function note(value: Json, step: number | undefined, path: string): void {
    if (typeof value === 'number') {
      if (Number.isFinite(value)) bad.delete(path);
      else bad.set(path, { value, step });
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        note(inner, step, path === '' ? name : `${path}.${name}`);
      }
    }
  }
  return {
    note: (values, step) => note(values, step, ''),
    problem() {
      const [first] = bad;
      if (first === undefined) return undefined;
      const [path, { value, step }] = first;
      return new StageError(`"${path}" was ${value} when last reported${atStep(step)}`, {
        hint: 'the training diverged: lower the learning rate, or report finite numbers only',
      });
    },
  };
}

export function atStep(step: number | undefined): string {
  return step === undefined ? '' : ` at step ${step}`;
}
