import type { Tensor, TensorLike } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '../gradients/register.ts';
import { allocate, checkedLeaves, hostLeaves } from '../check.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isHostTensor, isSpec, leavesOf, mapTree } from '../tree.ts';
import type { Engine, HostOf, HostTensor, Program, ProgramOptions, State, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';

/** Runs steps eagerly on tfjs's plain JavaScript backend: slow, but the truth that others are compared with. */
export function openReferenceEngine(): Engine {
  return new ReferenceEngine();
}

type AnyStep = (state: unknown, batch: unknown, constants: unknown) => { state: unknown; out: unknown };

const isTensor = (node: unknown): node is Tensor => node instanceof tf.Tensor;

class ReferenceEngine implements Engine {
  readonly name = 'reference';
  readonly description = `reference (tfjs ${tf.version_core} on its CPU backend, 1 thread)`;
  private readonly owned: { dispose(): void }[] = [];

  state<S>(initial: HostOf<S>): State<S> {
    const state = new ReferenceState<S>(initial);
    this.owned.push(state);
    return state;
  }

  async compile<S, B, O, C>(options: ProgramOptions<S, B, O, C>): Promise<Program<B, O>> {
    if (!(options.state instanceof ReferenceState)) {
      throw new EngineError(
        `program '${options.name}': its state was made by another engine; make it with engine.state()`,
      );
    }
    const program = new ReferenceProgram<B, O>(
      options.name,
      options.step as unknown as AnyStep,
      options.state as ReferenceState<unknown>,
      leavesOf(options.batch as TreeOf<TensorSpec>, isSpec),
      (options.constants ?? {}) as TreeOf<HostTensor>,
    );
    this.owned.push(program);
    return program;
  }

  dispose(): void {
    for (const each of this.owned.splice(0)) each.dispose();
  }
}

class ReferenceState<S> implements State<S> {
  tensors: TreeOf<Tensor> | undefined;

  constructor(initial: HostOf<S>) {
    hostLeaves(initial, 'the initial state');
    this.tensors = toTensors(initial as TreeOf<HostTensor>);
  }

  read(): HostOf<S> {
    return onCpu(() => mapTree(this.live(), isTensor, toHost)) as HostOf<S>;
  }

  write(values: HostOf<S>): void {
    const specs = leavesOf(this.live(), isTensor) as unknown as Leaves<TensorSpec>;
    checkedLeaves(values, specs, 'state.write: the new state');
    const old = this.live();
    this.tensors = toTensors(values as TreeOf<HostTensor>);
    disposeTree(old);
  }

  dispose(): void {
    if (this.tensors) disposeTree(this.tensors);
    this.tensors = undefined;
  }

  live(): TreeOf<Tensor> {
    if (!this.tensors) throw new EngineError('the state was disposed of');
    return this.tensors;
  }
}

class ReferenceProgram<B, O> implements Program<B, O> {
  private constants: TreeOf<Tensor> | undefined;
  private readonly name: string;
  private readonly step: AnyStep;
  private readonly state: ReferenceState<unknown>;
  private readonly batch: Leaves<TensorSpec>;

  constructor(
    name: string,
    step: AnyStep,
    state: ReferenceState<unknown>,
    batch: Leaves<TensorSpec>,
    constants: TreeOf<HostTensor>,
  ) {
    hostLeaves(constants, `program '${name}': the constants`);
    this.name = name;
    this.step = step;
    this.state = state;
    this.batch = batch;
    this.constants = toTensors(constants);
  }

  async run(batch: HostOf<B>): Promise<HostOf<O>> {
    if (!this.constants) throw new EngineError(`program '${this.name}' was disposed of`);
    checkedLeaves(batch, this.batch, `program '${this.name}': the batch`);
    const constants = this.constants;
    return onCpu(() => {
      const before = this.state.live();
      let out: TreeOf<HostTensor> = {};
      const after = tf.tidy(() => {
        const inputs = mapTree(batch as TreeOf<HostTensor>, isHostTensor, toTensor);
        const result = this.step(before, inputs, constants);
        out = mapTree(result.out as TreeOf<Tensor>, isTensor, toHost);
        this.checkState(before, result.state as TreeOf<Tensor>);
        // Copies share their data with the original, so that a leaf may be returned as it came, or twice.
        return mapTree(result.state as TreeOf<Tensor>, isTensor, (leaf) =>
          tf.keep(leaf.clone()),
        ) as tf.TensorContainer;
      });
      this.state.tensors = after as TreeOf<Tensor>;
      disposeTree(before);
      return out as HostOf<O>;
    });
  }

  dispose(): void {
    if (this.constants) disposeTree(this.constants);
    this.constants = undefined;
  }

  private checkState(before: TreeOf<Tensor>, after: TreeOf<Tensor>): void {
    const expected = leavesOf(before, isTensor);
    const given = leavesOf(after, isTensor);
    for (const [path, old] of expected) {
      const leaf = given.get(path);
      const same = leaf && leaf.dtype === old.dtype && leaf.shape.join() === old.shape.join();
      if (!same)
        throw new EngineError(
          `program '${this.name}': its step changes shape or type of '${path}' of the state`,
        );
    }
    if (given.size !== expected.size)
      throw new EngineError(`program '${this.name}': its step adds to the state`);
  }
}

function toTensor({ data, shape, dtype }: HostTensor): Tensor {
  return tf.tensor(data.slice() as TensorLike, [...shape], dtype);
}

function toTensors(tree: TreeOf<HostTensor>): TreeOf<Tensor> {
  return onCpu(() => mapTree(tree, isHostTensor, (leaf) => tf.keep(toTensor(leaf))));
}

function toHost(tensor: Tensor): HostTensor {
  const dtype = tensor.dtype as HostTensor['dtype'];
  const data = allocate(dtype, tensor.size);
  data.set(tensor.dataSync());
  return { dtype, shape: [...tensor.shape], data };
}

function disposeTree(tree: TreeOf<Tensor>): void {
  for (const tensor of leavesOf(tree, isTensor).values()) tensor.dispose();
}

/** tfjs's active backend is one for the whole process: use ours and put back what was. */
function onCpu<T>(work: () => T): T {
  const tfjs = tf.engine();
  const before = tfjs.backendName;
  void tfjs.setBackend('cpu');
  silence(tfjs.backend as { firstUse?: boolean });
  try {
    return work();
  } finally {
    if (before) void tfjs.setBackend(before);
  }
}

/** The CPU backend's first use prints advice to install a faster one. */
function silence(backend: { firstUse?: boolean }): void {
  backend.firstUse = false;
}
