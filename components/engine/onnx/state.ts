import type { Tensor } from 'onnxruntime-node';
import { allocate, checkedLeaves, hostLeaves } from '../check.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isHostTensor, mapTree } from '../tree.ts';
import type { HostOf, HostTensor, State } from '../types.ts';
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
  readonly tree: TreeOf<HostTensor>;
  private slots: Map<string, Slot> | undefined;
  private busy: Promise<unknown> = Promise.resolve();

  constructor(initial: HostOf<S>) {
    const leaves = hostLeaves(initial, 'the initial state');
    this.tree = mapTree(initial as TreeOf<HostTensor>, isHostTensor, ({ dtype, shape }) => ({
      dtype,
      shape: [...shape],
      data: allocate(dtype, 0),
    }));
    this.slots = new Map(
      [...leaves].map(([path, leaf]) => [path, { ...buffer(leaf, leaf.data), spare: undefined }]),
    );
  }

  /** Types and shapes by path. */
  get specs(): Leaves<HostTensor> {
    return new Map([...this.live()].map(([path, { host }]) => [path, host]));
  }

  read(): HostOf<S> {
    const slots = this.live();
    const copy = mapTree(this.tree, isHostTensor, (_, path) => {
      const { dtype, shape, data } = slots.get(path)!.host;
      return { dtype, shape, data: data.slice() };
    });
    return copy as HostOf<S>;
  }

  write(values: HostOf<S>): void {
    const slots = this.live();
    const leaves = checkedLeaves(values, this.specs, 'state.write: the new state');
    for (const [path, { data }] of leaves) slots.get(path)!.host.data.set(data);
  }

  dispose(): void {
    this.slots = undefined;
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

  /** Programs of one state take turns, also when they are not awaited. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.busy.then(work, work);
    this.busy = turn.catch(() => undefined);
    return turn;
  }

  private live(): Map<string, Slot> {
    if (!this.slots) throw new EngineError('the state was disposed of');
    return this.slots;
  }
}

/** New memory of that type and shape, holding `values` if given. */
function buffer({ dtype, shape, data }: HostTensor, values?: HostTensor['data']) {
  const host = { dtype, shape: [...shape], data: allocate(dtype, data.length) };
  if (values) host.data.set(values);
  return { host, tensor: toOrt(host) };
}
