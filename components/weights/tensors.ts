import type { RawTensor, TensorType } from './raw.ts';

/** Tensors in a file by the names that the file gives them. Values are read when they are asked for. */
export interface TensorFile {
  /** For messages. */
  readonly file: string;
  readonly tensors: ReadonlyMap<string, TensorFacts>;
  /**
   * @throws StageError that names file and tensor, if the file is damaged
   * @throws RangeError for a name that isn't in `tensors`
   */
  read(name: string): Promise<RawTensor>;
  close(): Promise<void>;
}

/** What the header of a file says of a tensor. */
export interface TensorFacts {
  readonly type: TensorType;
  readonly shape: readonly number[];
}
