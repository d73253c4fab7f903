import type { Tensor } from 'onnxruntime-node';
import { allocate, checkedLeaves, residentLeaves } from '../check.ts';
import { refuseInStep } from '../step.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isHostTensor, isSpec, mapTree } from '../tree.ts';
import { refuseStateInStep, Turns } from '../turns.ts';
import type { HostOf, HostTensor, State, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import { toOrt } from './session.ts';

/** One tensor of a state, with a second buffer that a program writes the next value to. */
interface Slot {
  host: HostTensor;
  tensor: Tensor;
  spare: { readonly host: HostTensor; readonly tensor: Tensor } | undefined;
}

/**
 * State in two buffers per tensor: a program reads one and writes the other, then they change places.
 * So a step copies nothing, and one that fails leaves the state as it was.
 */
export class OnnxState<S> implements State<S> {
  readonly tree: TreeOf<TensorSpec>;
  private slots: Map<string, Slot> | undefined;
  readonly turns = new Turns();
  private readonly onDispose: () => void;

  constructor(initial: HostOf<S>, onDispose: () => void) {
    const leaves = residentLeaves(initial, 'the initial state');
    this.tree = mapTree(initial as TreeOf<HostTensor>, isHostTensor, ({ dtype, shape }) => ({
      dtype,
      shape: [...shape],
    }));
    this.slots = new Map(
      [...leaves].map(([path, leaf]) => [path, { ...buffer(leaf, leaf.data), spare: undefined }]),
    );
    this.onDispose = onDispose;
  }

  read(): HostOf<S> {
    const slots = this.resting('read');
    const copy = mapTree(this.tree, isSpec, (_, path) => {
      const { dtype, shape, data } = slots.get(path)!.host;
      return { dtype, shape: [...shape], data: data.slice() };
    });
    return copy as HostOf<S>;
  }

  write(values: HostOf<S>): void {
    const slots = this.resting('write');
    const specs: Leaves<TensorSpec> = new Map([...slots].map(([path, { host }]) => [path, host]));
    const leaves = checkedLeaves(values, specs, 'state.write: the new state');
    for (const [path, { data }] of leaves) slots.get(path)!.host.data.set(data);
  }

  dispose(): void {
    refuseInStep("a state can't be disposed of");
    if (!this.slots) return;
    this.slots = undefined;
    this.onDispose();
  }

  /** Throws EngineError if there is no state any more. */
  live(who = ''): ReadonlyMap<string, Slot> {
    if (!this.slots) throw new EngineError(`${who}the state was disposed of`);
    return this.slots;
  }

  /** The current value, for a program to read. */
  current(path: string): Tensor {
    return this.live().get(path)!.tensor;
  }

  /** The buffer for the next value. */
  next(path: string): Tensor {
    const slot = this.live().get(path)!;
    slot.spare ??= buffer(slot.host);
    return slot.spare.tensor;
  }

  /** Makes the next values current. */
  swap(paths: readonly string[]): void {
    for (const path of paths) {
      const slot = this.slots?.get(path);
      if (!slot?.spare) continue;
      const { host, tensor } = slot;
      Object.assign(slot, slot.spare, { spare: { host, tensor } });
    }
  }

  /** The slots, if nothing is about to change them: before or after, it would be chance. */
  private resting(what: 'read' | 'write'): ReadonlyMap<string, Slot> {
    refuseStateInStep(what);
    const slots = this.live();
    this.turns.refuseWhileBusy(what);
    return slots;
  }
}

/** New memory of that type and shape, holding `values` if given. */
function buffer({ dtype, shape }: HostTensor, values?: HostTensor['data']) {
  const host = { dtype, shape: [...shape], data: allocate(dtype, shape) };
  if (values) host.data.set(values);
  return { host, tensor: toOrt(host) };
}
