"""The ONNX operators of a recorded training step in JAX, one by one, as a function that `jax.jit` compiles.

Nothing is rewritten: what XLA makes of the graph is what any lowering of the same graph to XLA would get. See measure.py.
"""

import gzip
import json

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from jax import lax
from onnx import numpy_helper

# Philox works on 64 bits.
jax.config.update("jax_enable_x64", True)

TYPES = {1: jnp.float32, 2: jnp.uint8, 6: jnp.int32, 7: jnp.int64, 9: jnp.bool_, 13: jnp.uint64}
PRECISIONS = ("float32", "tf32", "bf16", "bf16-wide")


class Products:
    """Matrix products and convolutions, the only operators that know of precision.

    float32: all digits. tf32: operands of 11 bits. bf16: operands and results of 8 bits, cast back to float32 at once, as
    TensorFlow's casts around products would do. bf16-wide: operands of 8 bits, results in float32.
    """

    def __init__(self, precision):
        assert precision in PRECISIONS, precision
        self.half = precision.startswith("bf16")
        self.precision = lax.Precision.HIGHEST if precision == "float32" else lax.Precision.DEFAULT
        self.result = jnp.bfloat16 if precision == "bf16" else jnp.float32

    def _call(self, product, a, b):
        if self.half:
            a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
        return product(a, b).astype(jnp.float32)

    def dot(self, a, b, dimensions):
        settings = dict(precision=self.precision, preferred_element_type=self.result)
        return self._call(lambda a, b: lax.dot_general(a, b, dimensions, **settings), a, b)

    def conv(self, a, b, **how):
        settings = dict(precision=self.precision, preferred_element_type=self.result)
        return self._call(lambda a, b: lax.conv_general_dilated(a, b, **settings, **how), a, b)


class Graph:
    """A recorded step. `draw`: mean and deviation of each input; `flops` of its products, None if not counted."""

    def __init__(self, file):
        with gzip.open(file) as stream:
            model = onnx.load_from_string(stream.read())
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        self.draw = json.loads(metadata["peco-exp.draw"])
        self.flops = float(metadata["peco-exp.flops"] or 0) or None
        self.nodes = [Node(node) for node in model.graph.node]
        # Numpy arrays are known while tracing: shapes, axes, indices.
        self.constants = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
        self.outputs = [each.name for each in model.graph.output]
        self.inputs = {
            each.name: (tuple(d.dim_value for d in each.type.tensor_type.shape.dim), TYPES[each.type.tensor_type.elem_type])
            for each in model.graph.input
        }

    def step(self, precision, fenced=False):
        """(state, others) -> (state, outputs), by path. `fenced`: see `fences`. Kernels say of which node they are."""
        products = Products(precision)
        fences = self.fences(products.half) if fenced else {}

        def run(state, others):
            values = {**self.constants, **state, **others}
            for node in self.nodes:
                given = [values[name] if name else None for name in node.inputs]
                more = dict(products=products) if node.op in PRODUCTS else {}
                more = dict(outputs=len(node.outputs)) if node.op == "MaxPool" else more
                with jax.named_scope(node.name):
                    made = OPERATORS[node.op](node.at, *given, **more)
                for name, value in zip(node.outputs, made if isinstance(made, tuple) else (made,)):
                    values[name] = fence(value, fences[name]) if name in fences else value
            after = dict(state)
            out = {}
            for name in self.outputs:
                kind, path = name.split("/", 1)
                if kind == "next":
                    after["state/" + path] = values[name]
                else:
                    out[path] = values[name]
            return after, out

        return run


    def fences(self, half):
        """Values that XLA shall compute once and keep, with the type in which it keeps them (None: their own).

        Left alone, it computes the softmax of attention and its gradient again for each of their readers, and sums up the
        gradient of the relative positions of all blocks in one slow kernel at the end, until when it keeps what that needs.
        """
        made = {name: node for node in self.nodes for name in node.outputs}
        kept = jnp.bfloat16 if half else None
        found = {}
        softmax = {node.outputs[0]: node for node in self.nodes if node.op == "Softmax"}
        for name, node in softmax.items():
            found[name] = kept
            scores = made.get(node.inputs[0])
            # Scores come from a product; what is added to them are the numbers of relative positions.
            added = scores.inputs if scores and scores.op == "Add" else []
            found.update({each: None for each in added if each in made and made[each].op not in PRODUCTS})

        def has_softmax(name):
            return name in made and made[name].op == "Mul" and any(each in softmax for each in made[name].inputs)

        # The gradient of y = softmax(x): dy y - sum(dy y) y.
        gradients = {node.outputs[0] for node in self.nodes if node.op == "Sub" and all(map(has_softmax, node.inputs))}
        found.update({name: kept for name in gradients})
        sums = (node for node in self.nodes if node.op == "ReduceSum" and node.inputs[0] in gradients)
        found.update({node.outputs[0]: None for node in sums})
        return found


def fence(value, kept):
    if kept is None:
        return lax.optimization_barrier(value)
    return lax.optimization_barrier(value.astype(kept)).astype(value.dtype)


class Node:
    def __init__(self, node):
        self.op, self.name = node.op_type, node.name
        self.inputs, self.outputs = list(node.input), list(node.output)
        self.at = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


def axes_of(axes, rank):
    return tuple(range(rank)) if axes is None else tuple(int(axis) for axis in axes)


def reduction(function):
    def apply(at, x, axes=None):
        if axes is not None and len(axes) == 0:
            assert not at.get("noop_with_empty_axes"), "not met"
            axes = None
        return function(x, axis=axes_of(axes, x.ndim), keepdims=bool(at.get("keepdims", 1)))

    return apply


def slice_(at, x, starts, ends, axes=None, steps=None):
    index = [slice(None)] * x.ndim
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    for start, end, axis, step in zip(starts, ends, axes, steps):
        length = x.shape[axis]
        end = None if step < 0 and end < -length else int(end)
        index[int(axis)] = slice(int(start), end, int(step))
    return x[tuple(index)]


def gemm(at, a, b, c=None, products=None):
    alpha, beta = at.get("alpha", 1.0), at.get("beta", 1.0)
    dimensions = (((0 if at.get("transA") else 1,), (1 if at.get("transB") else 0,)), ((), ()))
    y = products.dot(jnp.asarray(a), jnp.asarray(b), dimensions)
    y = y if alpha == 1 else y * jnp.float32(alpha)
    return y if c is None else y + (c if beta == 1 else c * jnp.float32(beta))


def matmul(at, a, b, products=None):
    a, b = jnp.asarray(a), jnp.asarray(b)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = jnp.broadcast_to(a, batch + a.shape[-2:])
    b = jnp.broadcast_to(b, batch + b.shape[-2:])
    n = len(batch)
    every = tuple(range(n))
    return products.dot(a, b, (((n + 1,), (n,)), (every, every)))


def window(at):
    count = len(at["kernel_shape"])
    pads = at.get("pads", [0] * 2 * count)
    return dict(
        strides=tuple(at.get("strides", [1] * count)),
        dilations=tuple(at.get("dilations", [1] * count)),
        pads=tuple(zip(pads[:count], pads[count:])),
    )


NCHW = ("NCHW", "OIHW", "NCHW")


def conv(at, x, w, b=None, products=None):
    how = window(at)
    y = products.conv(
        jnp.asarray(x), jnp.asarray(w), window_strides=how["strides"], padding=how["pads"], rhs_dilation=how["dilations"],
        dimension_numbers=NCHW, feature_group_count=at.get("group", 1),
    )
    return y if b is None else y + b[None, :, None, None]


def conv_transpose(at, x, w, b=None, products=None):
    """The gradient of a convolution to its input; `w` [in, out, height, width]."""
    assert at.get("group", 1) == 1 and b is None, "not met"
    how = window(at)
    turned = jnp.swapaxes(jnp.asarray(w)[:, :, ::-1, ::-1], 0, 1)
    reach = [(size - 1) * dilation for size, dilation in zip(at["kernel_shape"], how["dilations"])]
    padding = [(r - before, r - after) for r, (before, after) in zip(reach, how["pads"])]
    return products.conv(
        jnp.asarray(x), turned, window_strides=(1, 1), padding=padding, lhs_dilation=how["strides"],
        rhs_dilation=how["dilations"], dimension_numbers=NCHW,
    )


def max_pool(at, x, outputs=1):
    if outputs > 1:
        return max_pool_with_places(at, x)
    how = window(at)
    assert how["dilations"] == (1, 1), "not met"
    dims, strides = (1, 1, *at["kernel_shape"]), (1, 1, *how["strides"])
    pads = ((0, 0), (0, 0), *how["pads"])
    return lax.reduce_window(x, -np.inf, lax.max, dims, strides, pads)


def max_pool_with_places(at, x):
    """Places of the maxima in the flattened input, the first of equal ones, for windows that don't overlap the border."""
    how = window(at)
    batch, channels, height, width = x.shape
    (kh, kw), (sh, sw), pads = at["kernel_shape"], how["strides"], how["pads"]
    padded = jnp.pad(x, ((0, 0), (0, 0), *pads), constant_values=-np.inf)
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    best, where = None, None
    down, right = np.arange(rows)[:, None] * sh - pads[0][0], np.arange(columns)[None, :] * sw - pads[1][0]
    for i in range(kh):
        for j in range(kw):
            each = padded[:, :, i : i + sh * rows : sh, j : j + sw * columns : sw][:, :, :rows, :columns]
            place = jnp.asarray((down + i) * width + right + j, jnp.int32)
            if best is None:
                best, where = each, jnp.broadcast_to(place, each.shape)
            else:
                better = each > best
                best, where = jnp.where(better, each, best), jnp.where(better, place, where)
    offsets = jnp.arange(batch * channels, dtype=jnp.int64).reshape(batch, channels, 1, 1) * (height * width)
    return best, where.astype(jnp.int64) + offsets


def one_hot(at, indices, depth, values):
    depth = int(np.asarray(depth).reshape(-1)[0])
    assert at.get("axis", -1) == -1, "not met"
    wrapped = jnp.where(indices < 0, indices + depth, indices)
    return jnp.where(wrapped[..., None] == jnp.arange(depth, dtype=wrapped.dtype), values[1], values[0])


def scatter_elements(at, x, indices, updates):
    axis = at.get("axis", 0)
    grid = [lax.broadcasted_iota(indices.dtype, indices.shape, each) for each in range(x.ndim)]
    grid[axis] = jnp.where(indices < 0, indices + x.shape[axis], indices)
    place = jnp.asarray(x).at[tuple(grid)]
    return {b"add": place.add, b"none": place.set}[at.get("reduction", b"none")](updates)


def pad(at, x, pads, value=None, axes=None):
    assert axes is None and at.get("mode", b"constant") == b"constant", "not met"
    fill = 0 if value is None else value
    return jnp.pad(x, list(zip(pads[: x.ndim], pads[x.ndim :])), constant_values=jnp.asarray(fill, x.dtype))


def divide(at, a, b):
    a, b = jnp.asarray(a), jnp.asarray(b)
    if jnp.issubdtype(a.dtype, jnp.floating):
        return a / b
    return lax.div(*jnp.broadcast_arrays(a, b))


def arg_max(at, x):
    assert not at.get("select_last_index"), "not met"
    axis = at.get("axis", 0)
    found = jnp.argmax(x, axis)
    return jnp.expand_dims(found, axis) if at.get("keepdims", 1) else found


def shift(at, a, b):
    return (lax.shift_right_logical if at["direction"] == b"RIGHT" else lax.shift_left)(*jnp.broadcast_arrays(a, b))


def cast(at, x):
    to = TYPES[at["to"]]
    if isinstance(x, np.ndarray):
        return x.astype(to)
    return x != 0 if to == jnp.bool_ else x.astype(to)


def fold(function):
    def apply(at, *each):
        result = each[0]
        for other in each[1:]:
            result = function(result, other)
        return result

    return apply


def plain(function):
    return lambda at, *each: function(*(jnp.asarray(x) for x in each))


PRODUCTS = {"Gemm", "MatMul", "Conv", "ConvTranspose"}
OPERATORS = {
    **{"Gemm": gemm, "MatMul": matmul, "Conv": conv, "ConvTranspose": conv_transpose},
    "MaxPool": max_pool,
    "Slice": slice_,
    "OneHot": one_hot,
    "ScatterElements": scatter_elements,
    "Pad": pad,
    "Div": divide,
    "ArgMax": arg_max,
    "BitShift": shift,
    "Cast": cast,
    "ReduceSum": reduction(jnp.sum),
    "ReduceMean": reduction(jnp.mean),
    "ReduceMax": reduction(jnp.max),
    "ReduceMin": reduction(jnp.min),
    "ReduceLogSum": reduction(lambda x, **how: jnp.log(jnp.sum(x, **how))),
    "Softmax": lambda at, x: jax.nn.softmax(x, at.get("axis", -1)),
    "Sigmoid": plain(jax.nn.sigmoid),
    "Reshape": lambda at, x, shape: x.reshape([int(length) for length in shape]),
    "Transpose": lambda at, x: jnp.transpose(x, at.get("perm")),
    "Expand": lambda at, x, shape: jnp.broadcast_to(x, np.broadcast_shapes(tuple(int(n) for n in shape), x.shape)),
    "Concat": lambda at, *each: jnp.concatenate(each, at["axis"]),
    "Gather": lambda at, x, indices: jnp.take(jnp.asarray(x), indices, at.get("axis", 0), mode="wrap"),
    "Identity": lambda at, x: x,
    **{"Add": plain(jnp.add), "Sub": plain(jnp.subtract), "Mul": plain(jnp.multiply), "Pow": plain(jnp.power)},
    **{"Sum": fold(jnp.add), "Max": fold(jnp.maximum), "Min": fold(jnp.minimum)},
    **{"Sqrt": plain(jnp.sqrt), "Exp": plain(jnp.exp), "Log": plain(jnp.log), "Neg": plain(jnp.negative)},
    **{"Abs": plain(jnp.abs), "Tanh": plain(jnp.tanh), "Erf": plain(lax.erf), "Relu": plain(lambda x: jnp.maximum(x, 0))},
    **{"Reciprocal": plain(lambda x: 1 / x), "Floor": plain(jnp.floor), "Sign": plain(jnp.sign)},
    **{"Less": plain(jnp.less), "LessOrEqual": plain(jnp.less_equal), "Greater": plain(jnp.greater)},
    **{"GreaterOrEqual": plain(jnp.greater_equal), "Equal": plain(jnp.equal), "Where": plain(jnp.where)},
    **{"And": plain(jnp.logical_and), "Or": plain(jnp.logical_or), "Not": plain(jnp.logical_not)},
    **{"BitwiseAnd": plain(jnp.bitwise_and), "BitwiseOr": plain(jnp.bitwise_or), "BitwiseXor": plain(jnp.bitwise_xor)},
}
