import type { ElementType } from '../graph/value.ts';
import type { TensorflowType } from './graph-def.ts';

/**
 * The signatures of the TensorFlow operators used here, from TensorFlow 2.21's registry (TF_GetAllOpList): each input and
 * output with its name and its type, which is a fixed type or an attribute's name; `*N` is a list of N inputs, `[Tin]` one
 * whose types differ.
 */
const signatures = {
  Abs: 'x:T -> y:T',
  Neg: 'x:T -> y:T',
  Sign: 'x:T -> y:T',
  Exp: 'x:T -> y:T',
  Log: 'x:T -> y:T',
  Sqrt: 'x:T -> y:T',
  Reciprocal: 'x:T -> y:T',
  Sin: 'x:T -> y:T',
  Cos: 'x:T -> y:T',
  Tan: 'x:T -> y:T',
  Asin: 'x:T -> y:T',
  Acos: 'x:T -> y:T',
  Atan: 'x:T -> y:T',
  Sinh: 'x:T -> y:T',
  Cosh: 'x:T -> y:T',
  Tanh: 'x:T -> y:T',
  Asinh: 'x:T -> y:T',
  Acosh: 'x:T -> y:T',
  Atanh: 'x:T -> y:T',
  Sigmoid: 'x:T -> y:T',
  Erf: 'x:T -> y:T',
  Floor: 'x:T -> y:T',
  Ceil: 'x:T -> y:T',
  Round: 'x:T -> y:T',
  Relu: 'features:T -> activations:T',
  LogicalNot: 'x:bool -> y:bool',
  Cast: 'x:SrcT -> y:DstT',
  AddV2: 'x:T y:T -> z:T',
  Sub: 'x:T y:T -> z:T',
  Mul: 'x:T y:T -> z:T',
  RealDiv: 'x:T y:T -> z:T',
  TruncateDiv: 'x:T y:T -> z:T',
  Maximum: 'x:T y:T -> z:T',
  Minimum: 'x:T y:T -> z:T',
  FloorMod: 'x:T y:T -> z:T',
  Mod: 'x:T y:T -> z:T',
  Pow: 'x:T y:T -> z:T',
  LogicalAnd: 'x:bool y:bool -> z:bool',
  LogicalOr: 'x:bool y:bool -> z:bool',
  Equal: 'x:T y:T -> z:bool',
  NotEqual: 'x:T y:T -> z:bool',
  Less: 'x:T y:T -> z:bool',
  LessEqual: 'x:T y:T -> z:bool',
  Greater: 'x:T y:T -> z:bool',
  GreaterEqual: 'x:T y:T -> z:bool',
  BitwiseAnd: 'x:T y:T -> z:T',
  BitwiseXor: 'x:T y:T -> z:T',
  RightShift: 'x:T y:T -> z:T',
  SelectV2: 'condition:bool t:T e:T -> output:T',
  AddN: 'inputs:T*N -> sum:T',
  Sum: 'input:T reduction_indices:Tidx -> output:T',
  Mean: 'input:T reduction_indices:Tidx -> output:T',
  Max: 'input:T reduction_indices:Tidx -> output:T',
  Min: 'input:T reduction_indices:Tidx -> output:T',
  Prod: 'input:T reduction_indices:Tidx -> output:T',
  ArgMax: 'input:T dimension:Tidx -> output:output_type',
  ArgMin: 'input:T dimension:Tidx -> output:output_type',
  Softmax: 'logits:T -> softmax:T',
  TopKV2: 'input:T k:Tk -> values:T indices:index_type',
  Cumsum: 'x:T axis:Tidx -> out:T',
  Reshape: 'tensor:T shape:Tshape -> output:T',
  Transpose: 'x:T perm:Tperm -> y:T',
  BroadcastTo: 'input:T shape:Tidx -> output:T',
  Slice: 'input:T begin:Index size:Index -> output:T',
  StridedSlice: 'input:T begin:Index end:Index strides:Index -> output:T',
  ConcatV2: 'values:T*N axis:Tidx -> output:T',
  PadV2: 'input:T paddings:Tpaddings constant_values:T -> output:T',
  GatherV2: 'params:Tparams indices:Tindices axis:Taxis -> output:Tparams',
  OneHot: 'indices:TI depth:int32 on_value:T off_value:T -> output:T',
  TensorScatterAdd: 'tensor:T indices:Tindices updates:T -> output:T',
  TensorScatterMax: 'tensor:T indices:Tindices updates:T -> output:T',
  TensorScatterUpdate: 'tensor:T indices:Tindices updates:T -> output:T',
  NonMaxSuppressionV4:
    'boxes:T scores:T max_output_size:int32 iou_threshold:T_threshold score_threshold:T_threshold -> selected_indices:int32 valid_outputs:int32',
  MatMul: 'a:T b:T -> product:T',
  BatchMatMulV2: 'x:T y:T -> output:T',
  Einsum: 'inputs:T*N -> output:T',
  BiasAdd: 'value:T bias:T -> output:T',
  Conv2D: 'input:T filter:T -> output:T',
  Conv2DBackpropInput: 'input_sizes:int32 filter:T out_backprop:T -> output:T',
  Conv2DBackpropFilter: 'input:T filter_sizes:int32 out_backprop:T -> output:T',
  DepthwiseConv2dNative: 'input:T filter:T -> output:T',
  DepthwiseConv2dNativeBackpropInput: 'input_sizes:int32 filter:T out_backprop:T -> output:T',
  DepthwiseConv2dNativeBackpropFilter: 'input:T filter_sizes:int32 out_backprop:T -> output:T',
  MaxPool: 'input:T -> output:T',
  MaxPoolGrad: 'orig_input:T orig_output:T grad:T -> output:T',
  AvgPool: 'value:T -> output:T',
  AvgPoolGrad: 'orig_input_shape:int32 grad:T -> output:T',
  MaxPoolWithArgmax: 'input:T -> output:T argmax:Targmax',
  Const: '-> output:dtype',
  Identity: 'input:T -> output:T',
  NoOp: '->',
  Placeholder: '-> output:dtype',
  VarHandleOp: '-> resource:resource',
  ReadVariableOp: 'resource:resource -> value:dtype',
  AssignVariableOp: 'resource:resource value:dtype ->',
  StatefulPartitionedCall: 'args:[Tin] -> output:[Tout]',
  Bitcast: 'input:T -> output:type',
} as const;

export type TensorflowOp = keyof typeof signatures;

export interface Argument {
  readonly name: string;
  /** The attribute that holds its type, unless the type is fixed. */
  readonly typeAttribute?: string;
  readonly type?: TensorflowType;
  /** The attribute that holds how many there are. */
  readonly countAttribute?: string;
  /** The attribute that holds the types of a list. */
  readonly typesAttribute?: string;
}

export interface Signature {
  readonly inputs: readonly Argument[];
  readonly outputs: readonly Argument[];
}

const fixed: ReadonlySet<string> = new Set<ElementType | 'resource'>(['int32', 'bool', 'resource']);

const known = new Map<string, Signature>();

export function signatureOf(op: TensorflowOp): Signature {
  const found = known.get(op);
  if (found) return found;
  const [inputs = '', outputs = ''] = signatures[op].split('->').map((part) => part.trim());
  const made = { inputs: argumentsOf(inputs), outputs: argumentsOf(outputs) };
  known.set(op, made);
  return made;
}

function argumentsOf(text: string): Argument[] {
  return text.split(' ').flatMap((part): Argument[] => {
    const [name, type] = part.split(':');
    if (!name || !type) return [];
    if (fixed.has(type)) return [{ name, type: type as TensorflowType }];
    if (type.startsWith('[')) return [{ name, typesAttribute: type.slice(1, -1) }];
    const [typeAttribute, countAttribute] = type.split('*');
    return [{ name, typeAttribute, ...(countAttribute ? { countAttribute } : {}) }];
  });
}
