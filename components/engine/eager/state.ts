import type { Tensor } from '@tensorflow/tfjs-core';
import { checkedLeaves, residentLeaves } from '../check.ts';
import { refuseInStep } from '../step.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isTensor, leavesOf, mapTree } from '../tree.ts';
import type { HostOf, HostTensor, State, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { onBackend } from './backend.ts';
import { disposeTree, keepTensors, toHost } from './tensors.ts';

/** Tensors of one tfjs backend. */
export class EagerState<S> implements State<S> {
  readonly backendName: string;
  private tensors: TreeOf<Tensor> | undefined;
  private readonly onDispose: () => void;

  constructor(backendName: string, initial: HostOf<S>, onDispose: () => void) {
    residentLeaves(initial, 'the initial state');
    this.backendName = backendName;
    this.onDispose = onDispose;
    this.tensors = onBackend(backendName, () => keepTensors(initial as TreeOf<HostTensor>));
  }

  read(): HostOf<S> {
    refuseInStep("a state can't be read");
    return onBackend(this.backendName, () => mapTree(this.live(), isTensor, toHost)) as HostOf<S>;
  }

  write(values: HostOf<S>): void {
    refuseInStep("a state can't be written");
    const specs = leavesOf(this.live(), isTensor) as Leaves<unknown> as Leaves<TensorSpec>;
    checkedLeaves(values, specs, 'state.write: the new state');
    this.replace(onBackend(this.backendName, () => keepTensors(values as TreeOf<HostTensor>)));
  }

  dispose(): void {
    refuseInStep("a state can't be disposed of");
    if (!this.tensors) return;
    disposeTree(this.tensors);
    this.tensors = undefined;
    this.onDispose();
  }

  /** The current tensors. Throws EngineError if there is no state any more. */
  live(who = ''): TreeOf<Tensor> {
    if (!this.tensors) throw new EngineError(`${who}the state was disposed of`);
    return this.tensors;
  }

  /**
   * Takes over tensors that are kept, and disposes of those that it had. Names stay in the order in which they were
   * first given, as with engines that compile: steps may go through several trees of one form side by side.
   */
  replace(tensors: TreeOf<Tensor>): void {
    const old = this.live();
    const given = leavesOf(tensors, isTensor);
    this.tensors = mapTree(old, isTensor, (_, path) => given.get(path)!);
    disposeTree(old);
  }
}
