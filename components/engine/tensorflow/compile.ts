import { fuseProducts } from '../graph/fuse.ts';
import type { Node, Value } from '../graph/value.ts';
import { isForeign, sizeOf } from '../graph/value.ts';
import { changedState, endpoints, neededNodes } from '../record/needed.ts';
import type { Trace } from '../record/trace.ts';
import type { Leaves } from '../tree.ts';
import type { HostTensor, TensorSpec } from '../types.ts';
import type { Ref } from './builder.ts';
import { GraphBuilder, nodeName } from './builder.ts';
import { fuseElementwise } from './fuse-elementwise.ts';
import type { ArgumentDef, FunctionDef } from './graph-def.ts';
import { attribute, encodeGraph, typeNumbers, untouched } from './graph-def.ts';
import type { Precision } from './operators/operator.ts';
import { Translator } from './translate.ts';

/** `flat`: TensorFlow executes node by node, or group by group; `xla`: XLA compiles the whole step. */
export type Mode = 'flat' | 'xla';

/** A step as part of a TensorFlow graph. */
export interface CompiledStep {
  readonly bytes: Uint8Array;
  /** Batch leaves that it reads, and the placeholders that take them. */
  readonly feeds: readonly {
    readonly path: string;
    readonly name: string;
    readonly spec: Required<TensorSpec>;
  }[];
  /** Outputs by path, and the nodes that hold them. */
  readonly fetches: readonly {
    readonly path: string;
    readonly name: string;
    readonly spec: Required<TensorSpec>;
  }[];
  /** A number that is there when the step is done. */
  readonly done: string;
  /** Constants too large for the graph, which are variables. */
  readonly constants: readonly { readonly variable: string; readonly value: HostTensor }[];
}

export interface StepOptions {
  readonly name: string;
  /** Begins the names of all nodes of the step, for example `p0/`. */
  readonly prefix: string;
  readonly trace: Trace;
  /** The variable of each leaf of the state. */
  readonly variables: Leaves<string>;
  readonly mode: Mode;
  /**
   * Of `flat`: what works element by element is left to XLA, where the step changes the state. Others are run too rarely to
   * be worth the time that compiling takes.
   */
  readonly fused: boolean;
  readonly precision: Precision;
}

/** A graph is a message of at most 2 GiB that the library holds several times; larger constants lie in variables. */
const largestConstant = 2 ** 20;

/** Lowers a trace to TensorFlow; what no output needs is left out. Throws EngineError for what can't be run. */
export function compileStep(options: StepOptions): CompiledStep {
  const { name, trace } = options;
  const changed = changedState(trace);
  const ends = [...endpoints('next', changed), ...endpoints('out', trace.outputs)];
  const results = ends.map(({ value }) => value);
  const nodes = fuseProducts(neededNodes(name, trace, ends), results);
  const needed = new Set([...nodes.flatMap((node) => node.inputs), ...results]);
  const plan: Plan = {
    nodes,
    state: [...trace.stateInputs].filter(([, value]) => needed.has(value)),
    batch: [...trace.batchInputs].filter(([, value]) => needed.has(value)),
    constants: [...needed].filter((value): value is Value => value !== undefined && isLarge(value)),
    changed,
    outputs: [...trace.outputs],
  };
  return options.mode === 'xla' ? asFunction(options, plan) : asGraph(options, plan);
}

interface Plan {
  readonly nodes: readonly Node[];
  readonly state: readonly (readonly [string, Value])[];
  readonly batch: readonly (readonly [string, Value])[];
  readonly constants: readonly Value[];
  readonly changed: readonly (readonly [string, Value])[];
  readonly outputs: readonly (readonly [string, Value])[];
}

function isLarge({ source, shape, type }: Value): boolean {
  return source.kind === 'constant' && sizeOf(shape) * 4 > largestConstant && !isForeign(type);
}

/** A variable's handle, from where the program's nodes stand. */
export function handle(b: GraphBuilder, name: string, { dtype = 'float32', shape }: TensorSpec): Ref {
  const attributes = {
    shared_name: attribute.text(name),
    dtype: attribute.type(dtype),
    shape: attribute.shape(shape),
  };
  return b.add('VarHandleOp', [], [], attributes, { type: 'resource', name });
}

const specOf = ({ type, shape }: Value): Required<TensorSpec> => ({
  dtype: type as Required<TensorSpec>['dtype'],
  shape: [...shape],
});

/** What a step takes in, outside of it: handles of variables, and placeholders. */
function openings(b: GraphBuilder, { prefix, variables }: StepOptions, plan: Plan) {
  const paths = new Set([...plan.state, ...plan.changed].map(([path]) => path));
  const state = new Map<string, Ref>(
    [...paths].map((path) => [path, { text: variables.get(path)!, type: 'resource', shape: [] }]),
  );
  const constants = plan.constants.map((value, index) => {
    const variable = `${prefix}constant_${index}`;
    return { value, variable, ref: handle(b, variable, specOf(value)) };
  });
  const batch = plan.batch.map(([path, value], index) => {
    const spec = specOf(value);
    const bytes = spec.dtype === 'uint8';
    const shape = bytes ? [Math.ceil(sizeOf(spec.shape) / 4)] : spec.shape;
    const type = bytes ? 'int32' : spec.dtype;
    const attributes = { shape: attribute.shape(shape) };
    const name = `${prefix}in_${index}`;
    return { path, value, name, spec, ref: b.add('Placeholder', [], shape, attributes, { type, name }) };
  });
  return { state, constants, batch };
}

/** The bytes of a batch travel as int32, which stay in the host's memory until the graph reads them. */
function unpacked(b: GraphBuilder, ref: Ref, { dtype, shape }: Required<TensorSpec>): Ref {
  if (dtype !== 'uint8') return ref;
  const size = sizeOf(shape);
  const words = ref.shape[0]!;
  const bytes = b.add('Bitcast', [ref], [words, 4], {}, { type: 'uint8' });
  const flat = b.add('Reshape', [bytes, b.ints([words * 4])], [words * 4]);
  const exact = words * 4 === size ? flat : b.add('Slice', [flat, b.ints([0]), b.ints([size])], [size]);
  return b.add('Reshape', [exact, b.ints(shape)], shape);
}

interface Given {
  readonly state: ReadonlyMap<string, Ref>;
  readonly constants: readonly { readonly value: Value; readonly ref: Ref }[];
  readonly batch: readonly {
    readonly value: Value;
    readonly spec: Required<TensorSpec>;
    readonly ref: Ref;
  }[];
}

/**
 * The nodes of the step: reads, computes, and only when every new value and output is there, assigns. So a step that fails
 * changes nothing. Gives its outputs and the names of the assignments.
 */
function body(b: GraphBuilder, plan: Plan, given: Given, precision: Precision) {
  const read = (variable: Ref, value: Value): readonly [Value, Ref] => {
    const type = value.type;
    return [
      value,
      b.add('ReadVariableOp', [variable], value.shape, { dtype: attribute.type(type) }, { type }),
    ];
  };
  const inputs = [
    ...plan.state.map(([path, value]) => read(given.state.get(path)!, value)),
    ...given.constants.map(({ value, ref }) => read(ref, value)),
    ...given.batch.map(({ value, ref, spec }) => [value, unpacked(b, ref, spec)] as const),
  ];
  const translator = new Translator(b, inputs, precision);
  translator.translate(plan.nodes);
  const next = plan.changed.map(([path, value]) => [path, translator.refOf(value)] as const);
  const outputs = plan.outputs.map(([path, value]) => {
    const ref = translator.refOf(value);
    return { path, value, ref: b.add('Identity', [ref], value.shape) };
  });
  const barrier = b.nameFor('NoOp');
  const before = new Set([...next.map(([, ref]) => ref), ...outputs.map(({ ref }) => ref)].map(madeBy(b)));
  b.addAll('NoOp', [], [], {}, { name: barrier, after: [...before].filter((name) => name !== '') });
  const assigns = next.map(([path, ref]) => {
    const name = b.nameFor('AssignVariableOp');
    b.addAll('AssignVariableOp', [given.state.get(path)!, ref], [], {}, { name, after: [barrier] });
    return name;
  });
  return { outputs, assigns };
}

/** The node that a control edge can come from; arguments of a function are none. */
const madeBy =
  (b: GraphBuilder) =>
  (ref: Ref): string =>
    b.inFunction && !ref.text.includes(':') ? '' : nodeName(ref);

function asGraph(options: StepOptions, plan: Plan): CompiledStep {
  const b = new GraphBuilder(options.prefix, false);
  const given = openings(b, options, plan);
  const { outputs, assigns } = body(b, plan, given, options.precision);
  return closed(b, options, given, {
    after: assigns,
    fetches: outputs.map(({ path, value, ref }) => ({ path, name: ref.text, spec: specOf(value) })),
    functions: [],
    fused: options.fused && plan.changed.length > 0,
  });
}

/** The same step as a function that XLA compiles. */
function asFunction(options: StepOptions, plan: Plan): CompiledStep {
  const outer = new GraphBuilder(options.prefix, false);
  const given = openings(outer, options, plan);
  const inner = new GraphBuilder('', true);
  const inputArg: ArgumentDef[] = [];
  const passed: Ref[] = [];
  const argument = (ref: Ref): Ref => {
    const name = `a${inputArg.length}`;
    inputArg.push({ name, type: typeNumbers[ref.type] });
    passed.push(ref);
    return { ...ref, text: name };
  };
  const within: Given = {
    state: new Map([...given.state].map(([path, ref]) => [path, argument(ref)])),
    constants: given.constants.map((each) => ({ ...each, ref: argument(each.ref) })),
    batch: given.batch.map((each) => ({ ...each, ref: argument(each.ref) })),
  };
  const { outputs, assigns } = body(inner, plan, within, options.precision);
  const compiled = { _XlaMustCompile: attribute.bool(true) };
  const name = `${options.prefix.replace(/\W/g, '_')}step`;
  const step: FunctionDef = {
    signature: {
      name,
      inputArg,
      outputArg: outputs.map(({ ref }, index) => ({ name: `o${index}`, type: typeNumbers[ref.type] })),
      controlOutput: assigns.map((_, index) => `c${index}`),
      isStateful: true,
    },
    attr: { ...compiled, ...untouched },
    nodeDef: inner.nodes,
    ret: Object.fromEntries(outputs.map(({ ref }, index) => [`o${index}`, ref.text])),
    controlRet: Object.fromEntries(assigns.map((assign, index) => [`c${index}`, assign])),
  };
  const call = `${options.prefix}call`;
  const types = outputs.map(({ ref }) => ref.type);
  const results = outer.addAll(
    'StatefulPartitionedCall',
    passed,
    outputs.map(({ ref }) => ({ shape: ref.shape, type: ref.type })),
    { ...compiled, f: attribute.call(name), Tout: attribute.types(types) },
    { name: call },
  );
  return closed(outer, options, given, {
    after: [call],
    fetches: outputs.map(({ path, value }, index) => ({
      path,
      name: results[index]!.text,
      spec: specOf(value),
    })),
    functions: [step],
    fused: false,
  });
}

/** The step with the node that says that it is done. */
function closed(
  b: GraphBuilder,
  { prefix }: StepOptions,
  given: ReturnType<typeof openings>,
  end: Pick<CompiledStep, 'fetches'> & {
    readonly after: readonly string[];
    readonly functions: readonly FunctionDef[];
    readonly fused: boolean;
  },
): CompiledStep {
  const done = `${prefix}done`;
  const value = attribute.splat('int32', [], 1);
  b.add('Const', [], [], { value }, { type: 'int32', name: done, after: end.after });
  const { nodes, functions } = end.fused ? fuseElementwise(b) : { nodes: b.nodes, functions: end.functions };
  return {
    bytes: encodeGraph(nodes, functions),
    feeds: given.batch.map(({ path, name, spec }) => ({ path, name, spec })),
    fetches: end.fetches,
    done,
    constants: given.constants.map(({ variable, value: { type, shape, source } }) => ({
      variable,
      // A copy: the array is the caller's.
      value: {
        dtype: type,
        shape,
        data: (source as { data: HostTensor['data'] }).data.slice(),
      } as HostTensor,
    })),
  };
}
