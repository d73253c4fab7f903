import { checkedLeaves, residentLeaves } from '../../check.ts';
import { refuseInStep } from '../../step.ts';
import type { Leaves, TreeOf } from '../../tree.ts';
import { isHostTensor, isSpec, leavesOf, mapTree } from '../../tree.ts';
import { refuseStateInStep, Turns } from '../../turns.ts';
import type { HostOf, HostTensor, State, TensorSpec } from '../../types.ts';
import { EngineError } from '../../types.ts';
import type { Device } from './device.ts';
import { copied } from './device.ts';
import { explainFailure } from './errors.ts';
import type { Session, Value } from './session.ts';
import { fromHost, toDevice } from './session.ts';

/** Where the values are: what was written waits in the host's memory for the first step. */
type Place =
  | { readonly on: 'host'; readonly values: ReadonlyMap<string, HostTensor> }
  | { readonly on: 'device'; readonly values: Map<string, Value> };

/**
 * State in buffers of the device. A step gets them and gives new ones in their place, so nothing is copied, and one that
 * fails leaves the state as it was. Values go to the device with the first step after they were written, and come from
 * there when they are read.
 */
export class WebgpuState<S> implements State<S> {
  readonly tree: TreeOf<TensorSpec>;
  readonly turns = new Turns();
  private readonly device: Device;
  private readonly specs: Leaves<TensorSpec>;
  private readonly onDispose: () => void;
  private place: Place | undefined;
  private readonly copiers = new Map<'device' | 'host', Session>();

  constructor(device: Device, initial: HostOf<S>, onDispose: () => void) {
    const leaves = residentLeaves(initial, 'the initial state');
    this.tree = mapTree(initial as TreeOf<HostTensor>, isHostTensor, ({ dtype, shape }) => ({
      dtype,
      shape: [...shape],
    }));
    this.specs = leavesOf(this.tree, isSpec);
    this.place = { on: 'host', values: clone(leaves) };
    this.device = device;
    this.onDispose = onDispose;
    device.hold();
  }

  read(): HostOf<S> {
    refuseStateInStep('read');
    const place = this.live();
    this.turns.refuseWhileBusy('read');
    const values = place.on === 'host' ? clone(place.values) : this.download(place.values);
    return mapTree(this.tree, isSpec, (_, path) => values.get(path)!) as HostOf<S>;
  }

  write(values: HostOf<S>): void {
    refuseStateInStep('write');
    this.live();
    this.turns.refuseWhileBusy('write');
    const leaves = checkedLeaves(values, this.specs, 'state.write: the new state');
    this.forget();
    this.place = { on: 'host', values: clone(leaves) };
  }

  dispose(): void {
    refuseInStep("a state can't be disposed of");
    if (!this.place) return;
    const { place } = this;
    this.place = undefined;
    this.turns.afterSteps(() => {
      forget(place);
      for (const copier of this.copiers.values()) copier.dispose();
      this.device.release();
    });
    this.onDispose();
  }

  /** Throws EngineError if there is no state any more. */
  live(who = ''): Place {
    if (!this.place) throw new EngineError(`${who}the state was disposed of`);
    return this.place;
  }

  /** The current value, on the device. */
  current(path: string): Value {
    const place = this.live();
    if (place.on === 'device') return place.values.get(path)!;
    const values = this.upload(place.values);
    this.place = { on: 'device', values };
    return values.get(path)!;
  }

  /** Makes the next values current. */
  advance(next: ReadonlyMap<string, Value>): void {
    const { place } = this;
    if (place?.on !== 'device') {
      for (const value of next.values()) value.dispose();
      return;
    }
    for (const [path, value] of next) {
      place.values.get(path)!.dispose();
      place.values.set(path, value);
    }
  }

  private upload(values: ReadonlyMap<string, HostTensor>): Map<string, Value> {
    const given = new Map([...values].map(([path, value]) => [path, toDevice(value)]));
    return this.copy(given, 'device');
  }

  private download(values: ReadonlyMap<string, Value>): ReadonlyMap<string, HostTensor> {
    const results = this.copy(values, 'host');
    return new Map(
      [...this.specs].map(([path, { dtype = 'float32', shape }]) => [
        path,
        fromHost(results.get(path)!, { dtype, shape }),
      ]),
    );
  }

  private copy(values: ReadonlyMap<string, Value>, to: 'device' | 'host'): Map<string, Value> {
    if (values.size === 0) return new Map();
    try {
      const copier = this.copiers.get(to) ?? this.device.copier(this.specs, to);
      this.copiers.set(to, copier);
      const results = copier.run(Object.fromEntries(values));
      return new Map([...values.keys()].map((path) => [path, results[copied(path)]!]));
    } catch (error) {
      const where = to === 'device' ? "can't be copied to the device" : "can't be copied from the device";
      throw new EngineError(`the state ${where}: ${explainFailure(error)}`, { cause: error });
    }
  }

  private forget(): void {
    if (this.place) forget(this.place);
  }
}

function forget(place: Place): void {
  if (place.on === 'device') for (const value of place.values.values()) value.dispose();
}

function clone(leaves: Leaves<HostTensor>): Map<string, HostTensor> {
  return new Map(
    [...leaves].map(([path, { dtype, shape, data }]) => [
      path,
      { dtype, shape: [...shape], data: data.slice() } as HostTensor,
    ]),
  );
}
