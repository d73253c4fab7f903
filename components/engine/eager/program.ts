import type { Tensor } from '@tensorflow/tfjs-core';
import { checkedLeaves } from '../check.ts';
import { explainStepError, withDeepStacks } from '../place.ts';
import type { AnyStep } from '../step.ts';
import { callStep, refuseInStep, stepScope } from '../step.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isHostTensor, isTensor, leavesOf, mapTree } from '../tree.ts';
import type { HostOf, HostTensor, Program, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import type { EagerBackend } from './backend.ts';
import { onBackend } from './backend.ts';
import type { EagerState } from './state.ts';
import { disposeTree, keepTensors, toHost, toTensor } from './tensors.ts';

export interface EagerStep {
  readonly name: string;
  readonly step: AnyStep;
  readonly state: EagerState<unknown>;
  readonly batch: Leaves<TensorSpec>;
  readonly constants: TreeOf<HostTensor>;
}

/** A step that is called for every batch. */
export class EagerProgram<B, O> implements Program<B, O> {
  private readonly backend: EagerBackend;
  private readonly given: Omit<EagerStep, 'constants'>;
  private readonly onDispose: () => void;
  private constants: TreeOf<Tensor> | undefined;

  constructor(backend: EagerBackend, { constants, ...given }: EagerStep, onDispose: () => void) {
    this.backend = backend;
    this.given = given;
    this.onDispose = onDispose;
    this.constants = onBackend(backend.backendName, () => keepTensors(constants));
  }

  // Not `async`: a step does not await it, so its error must be thrown at once.
  run(batch: HostOf<B>): Promise<HostOf<O>> {
    refuseInStep(`program '${this.given.name}' can't run`);
    return this.runStep(batch);
  }

  dispose(): void {
    refuseInStep(`program '${this.given.name}' can't be disposed of`);
    if (!this.constants) return;
    disposeTree(this.constants);
    this.constants = undefined;
    this.onDispose();
  }

  private async runStep(batch: HostOf<B>): Promise<HostOf<O>> {
    const { name, batch: spec, state } = this.given;
    const { constants } = this;
    if (!constants) throw new EngineError(`program '${name}' was disposed of`);
    checkedLeaves(batch, spec, `program '${name}': the batch`);
    const before = state.live();
    return onBackend(this.backend.backendName, () => {
      const { after, out } = this.call(before, batch as TreeOf<HostTensor>, constants);
      state.replace(after);
      return out as HostOf<O>;
    });
  }

  private call(before: TreeOf<Tensor>, batch: TreeOf<HostTensor>, constants: TreeOf<Tensor>) {
    const { name, step } = this.given;
    // Copies share their data with the original: the step may dispose of what it gets, and return it, also twice.
    const copy = (tree: TreeOf<Tensor>) => mapTree(tree, isTensor, (leaf) => leaf.clone());
    let after: TreeOf<Tensor> = {};
    let out: TreeOf<HostTensor> = {};
    try {
      withDeepStacks(() =>
        stepScope((keep) => {
          const inputs = mapTree(batch, isHostTensor, toTensor);
          const given = { state: copy(before), batch: inputs, constants: copy(constants) };
          const specs = leavesOf(before, isTensor) as Leaves<unknown> as Leaves<TensorSpec>;
          const result = callStep(step, given, specs);
          out = mapTree(result.out, isTensor, toHost);
          after = mapTree(copy(result.state), isTensor, keep);
        }),
      );
    } catch (error) {
      throw explainStepError({ error, program: name, what: 'failed', missingKernel: this.missingKernel });
    }
    return { after, out };
  }

  private readonly missingKernel = (kernel: string): string => {
    const { backendName, engineName } = this.backend;
    const others = engineName === 'reference' ? "the engine 'onnx'" : "the engine 'onnx' or 'reference'";
    return `tfjs's backend '${backendName}' lacks the kernel ${kernel}; use ${others}`;
  };
}
