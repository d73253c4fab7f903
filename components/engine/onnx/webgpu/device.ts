import { Graph } from '../../graph/graph.ts';
import type { Leaves } from '../../tree.ts';
import type { TensorSpec } from '../../types.ts';
import { encodeModel } from '../proto.ts';
import { Session } from './session.ts';

/**
 * Keeps the device open: ONNX Runtime closes it with its last session, and what lies in its buffers would be gone. Those
 * who have something there hold it; with the last of them it goes.
 */
export class Device {
  readonly threads: number;
  private readonly anchor: Session;
  private holders = 1;

  /** Throws EngineError where there is no device. */
  constructor(threads: number) {
    this.threads = threads;
    const specs = new Map<string, TensorSpec>([['one', { shape: [1] }]]);
    this.anchor = new Session(copyModel(specs), { threads, outputs: [copied('one')], resident: [] });
  }

  hold(): void {
    this.holders++;
  }

  release(): void {
    if (--this.holders === 0) this.anchor.dispose();
  }

  /** A session that copies values: to the device, or from there. */
  copier(specs: Leaves<TensorSpec>, to: 'device' | 'host'): Session {
    const outputs = [...specs.keys()].map(copied);
    return new Session(copyModel(specs), {
      threads: this.threads,
      outputs,
      resident: to === 'device' ? outputs : [],
    });
  }
}

/** Name of the output for what goes in by that name. */
export const copied = (name: string) => `copy/${name}`;

/** Identities: ONNX Runtime copies no tensor without an operator. */
function copyModel(specs: Leaves<TensorSpec>): Uint8Array {
  const graph = new Graph();
  const inputs = [...specs].map(([name, { dtype = 'float32', shape }]) => ({
    name,
    value: graph.input(name, dtype, shape),
  }));
  const outputs = inputs.map(({ name, value }) => ({ name: copied(name), value }));
  return encodeModel({ name: 'copy', nodes: [], inputs, outputs });
}
