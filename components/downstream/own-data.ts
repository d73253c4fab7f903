import type { Component } from '../../framework/stage/component.ts';
import { component } from '../../framework/stage/define.ts';

/** Data of a task's own, where it learns from other images than the pretraining; spread into its schema. */
export const ownData = {
  /** Absent: `data.train` of the experiment. */
  train: component('dataset').optional(),
  /** Absent: `data.test` of the experiment. */
  test: component('dataset').optional(),
};

/** For `inputs` of a definition. */
export function ownInputs({
  train,
  test,
}: {
  readonly train?: Component | undefined;
  readonly test?: Component | undefined;
}) {
  return { train, test };
}
