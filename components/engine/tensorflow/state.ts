import { checkedLeaves, residentLeaves } from '../check.ts';
import { refuseInStep } from '../step.ts';
import type { Leaves, TreeOf } from '../tree.ts';
import { isHostTensor, isSpec, leavesOf, mapTree } from '../tree.ts';
import { refuseStateInStep, Turns } from '../turns.ts';
import type { HostOf, HostTensor, State, TensorSpec } from '../types.ts';
import { EngineError } from '../types.ts';
import type { CompiledStep } from './compile.ts';
import type { Variable } from './session.ts';
import { Session } from './session.ts';
import type { TensorflowThread } from './thread.ts';

/**
 * State in variables of TensorFlow, which its programs share. Variables belong to a session: where a program joins or
 * leaves, a new session is made, and the values go there. Before the first program they are in the host's memory.
 */
export class TensorflowState<S> implements State<S> {
  readonly tree: TreeOf<TensorSpec>;
  /** The variable of each leaf. */
  readonly variables: Leaves<string>;
  readonly turns = new Turns();
  private readonly thread: TensorflowThread;
  private readonly specs: Leaves<TensorSpec>;
  private readonly onDispose: () => void;
  private readonly programs = new Map<object, CompiledStep>();
  private session: Session | undefined;
  /** By variable; only while there is no session. */
  private host: Map<string, HostTensor> | undefined;
  private disposed = false;

  constructor(thread: TensorflowThread, initial: HostOf<S>, onDispose: () => void) {
    this.thread = thread;
    this.onDispose = onDispose;
    const leaves = residentLeaves(initial, 'the initial state');
    this.tree = mapTree(initial as TreeOf<HostTensor>, isHostTensor, ({ dtype, shape }) => ({
      dtype,
      shape: [...shape],
    }));
    this.specs = leavesOf(this.tree, isSpec);
    this.variables = new Map([...leaves.keys()].map((path, index) => [path, `state_${index}`]));
    this.host = new Map(
      [...leaves].map(([path, leaf]) => [this.variables.get(path)!, { ...leaf, data: leaf.data.slice() }]),
    );
  }

  read(): HostOf<S> {
    this.resting('read');
    const values = saying('read', () => this.values());
    const copy = mapTree(this.tree, isSpec, (_, path) => {
      const { dtype, shape, data } = values.get(this.variables.get(path)!)!;
      return { dtype, shape: [...shape], data: this.session ? data : data.slice() };
    });
    return copy as HostOf<S>;
  }

  write(values: HostOf<S>): void {
    this.resting('write');
    const leaves = checkedLeaves(values, this.specs, 'state.write: the new state');
    const given = new Map([...leaves].map(([path, leaf]) => [this.variables.get(path)!, leaf]));
    if (this.session) {
      const old = this.constants();
      const { session } = this;
      saying('write', () => session.writeNow((name) => given.get(name) ?? old.get(name)!));
    } else {
      for (const [name, { data }] of given) this.host!.get(name)!.data.set(data);
    }
  }

  dispose(): void {
    refuseInStep("a state can't be disposed of");
    if (this.disposed) return;
    this.disposed = true;
    this.turns.afterSteps(() => {
      this.session?.close();
      this.session = undefined;
      this.host = undefined;
      this.programs.clear();
    });
    this.onDispose();
  }

  /** Throws EngineError if there is no state any more. */
  live(who = ''): void {
    if (this.disposed) throw new EngineError(`${who}the state was disposed of`);
  }

  /** Puts a program (again, if `program` has one) into the session. Throws what TensorFlow says about it. */
  async join(program: object, step: CompiledStep): Promise<void> {
    this.live();
    const before = this.programs.get(program);
    this.programs.set(program, step);
    try {
      await this.renew();
    } catch (error) {
      if (before) this.programs.set(program, before);
      else this.programs.delete(program);
      throw error;
    }
  }

  /** Its graph goes when another program joins; the constants, which may be large, now. */
  leave(program: object): void {
    this.programs.delete(program);
    if (this.programs.size > 0 || this.disposed || !this.session) return;
    this.host = this.values();
    this.session.close();
    this.session = undefined;
  }

  /** The session that the programs are in: a new one, if none could be made when the last program joined. */
  async running(): Promise<Session> {
    this.live();
    if (!this.session) await this.renew();
    return this.session!;
  }

  private async renew(): Promise<void> {
    const values = this.session ? await this.session.read() : this.host!;
    const programs = [...this.programs.values()];
    const kept = programs.flatMap(({ constants }) => constants);
    const variable = (name: string, { dtype = 'float32', shape }: TensorSpec): Variable => ({
      name,
      spec: { dtype, shape },
    });
    const next = await Session.open(this.thread, {
      state: [...this.specs].map(([path, spec]) => variable(this.variables.get(path)!, spec)),
      programs: programs.map(({ bytes }) => bytes),
      constants: kept.map(({ variable: name, value }) => variable(name, value)),
    });
    // One of the two has the values, whatever fails.
    this.session?.close();
    this.session = undefined;
    this.host = values;
    const constants = this.constants();
    try {
      await next.write((name) => values.get(name) ?? constants.get(name)!);
    } catch (error) {
      next.close();
      throw error;
    }
    this.session = next;
    this.host = undefined;
  }

  private constants(): Map<string, HostTensor> {
    const all = [...this.programs.values()].flatMap(({ constants }) => constants);
    return new Map(all.map(({ variable, value }) => [variable, value]));
  }

  private values(): Map<string, HostTensor> {
    return this.session ? this.session.readNow() : this.host!;
  }

  private resting(what: 'read' | 'write'): void {
    refuseStateInStep(what);
    this.live();
    this.turns.refuseWhileBusy(what);
  }
}

/** What TensorFlow says of it, as an EngineError. */
function saying<T>(what: 'read' | 'write', work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new EngineError(`state.${what} failed: ${(error as Error).message}`, { cause: error });
  }
}
