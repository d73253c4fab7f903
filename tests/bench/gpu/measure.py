"""Measures a recorded training step on a GPU, compiled by XLA through JAX:

    python3 tests/bench/gpu/measure.py FOLDER/SHAPE-BATCH PRECISION [--fenced] [--steps 20] [--blocks 3]
        [--compile-only] [--kernels FILE] [--hlo FILE]

FOLDER/SHAPE-BATCH: what record.ts wrote. PRECISION: float32, tf32, bf16 or bf16-wide, --fenced: see interpret.py. Pictures
and state stay on the device. Prints JSON: images a second of each block of steps, peak memory, time of compiling, losses. A file that
was recorded with --losses is compared with them instead, on whatever device there is.
"""

import argparse
import glob
import gzip
import json
import os
import tempfile
import time

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np

from interpret import Graph

SAFETENSORS = {"F32": np.float32, "I32": np.int32, "U8": np.uint8, "BOOL": np.bool_}


def read_safetensors(file):
    with gzip.open(file) as stream:
        data = stream.read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, each in header.items():
        first, end = (8 + length + offset for offset in each["data_offsets"])
        tensors[name] = np.frombuffer(data[first:end], SAFETENSORS[each["dtype"]]).reshape(each["shape"])
    return tensors, metadata


def inputs_of(graph, given):
    """What the file has; the rest drawn by mean and deviation, pictures as bytes of uniform noise."""
    key = jax.random.key(0)
    values = {}
    for place, (name, (shape, dtype)) in enumerate(sorted(graph.inputs.items())):
        mean, deviation = graph.draw[name]
        own = jax.random.fold_in(key, place)
        if name in given:
            values[name] = jnp.asarray(given[name], dtype)
        elif dtype == jnp.uint8:
            values[name] = jax.random.randint(own, shape, 0, 256, dtype)
        elif deviation == 0:
            values[name] = jnp.full(shape, mean, dtype)
        else:
            values[name] = (mean + deviation * jax.random.normal(own, shape, jnp.float32)).astype(dtype)
    return parted(values)


def parted(values):
    """What a step changes and may overwrite, and what it only reads."""
    state = {name: value for name, value in values.items() if name.startswith("state/")}
    return state, {name: value for name, value in values.items() if name not in state}


def measure(arguments):
    file, precision = arguments.file, arguments.precision
    graph = Graph(file + ".onnx.gz")
    given, metadata = read_safetensors(file + ".safetensors.gz")
    images = next(shape[0] for name, (shape, _) in graph.inputs.items() if name.startswith("batch/") and len(shape) == 4)
    started = time.perf_counter()
    function = graph.step(precision, arguments.fenced)
    specs = {name: jax.ShapeDtypeStruct(*each) for name, each in graph.inputs.items()}
    lowered = jax.jit(function, donate_argnums=0).lower(*parted(specs))
    tracing = time.perf_counter() - started
    compiled = lowered.compile()
    compiling = time.perf_counter() - started
    if arguments.hlo:
        with gzip.open(arguments.hlo, "wt") as stream:
            stream.write(compiled.as_text())
    name = "recorded step, XLA" + (", fenced" if arguments.fenced else "")
    result = dict(engine=name, shape=os.path.basename(file), precision=precision)
    result.update(tracingS=round(tracing, 1), compileS=round(compiling, 1))
    if arguments.compile_only:
        return result
    state, others = inputs_of(graph, given)
    losses = []
    wanted = json.loads(metadata.get("losses", "[]"))
    for _ in range(max(3, len(wanted))):
        state, out = compiled(state, others)
        losses.append(float(out["loss"]))
    if wanted:
        worst = max(abs(a - b) for a, b in zip(losses, wanted))
        return {**result, "losses": losses, "onnx": wanted, "largestDifference": worst}
    rates = []
    for _ in range(arguments.blocks):
        before = time.perf_counter()
        for _ in range(arguments.steps):
            state, out = compiled(state, others)
        losses.append(float(out["loss"]))
        rates.append(images * arguments.steps / (time.perf_counter() - before))
    if arguments.kernels:
        with open(arguments.kernels, "w") as stream:
            json.dump(kernels_of(compiled, state, others), stream)
    memory = compiled.memory_analysis()
    device = jax.devices()[0]
    stats = device.memory_stats() or {}
    return {
        **result,
        "imagesPerSecond": [round(rate, 1) for rate in rates],
        "peakGiB": round(stats.get("peak_bytes_in_use", 0) / 2**30, 2),
        "plannedGiB": round((memory.temp_size_in_bytes + memory.argument_size_in_bytes) / 2**30, 2),
        "teraflops": graph.flops and round(graph.flops / images * float(np.median(rates)) / 1e12, 1),
        "losses": [round(loss, 4) for loss in losses],
        "device": device.device_kind,
        "jax": jax.__version__,
    }


def kernels_of(compiled, state, others, steps=3):
    """Microseconds a step of each kernel on the device, by name."""
    folder = tempfile.mkdtemp()
    with jax.profiler.trace(folder):
        for _ in range(steps):
            state, out = compiled(state, others)
        jax.block_until_ready(out)
    [file] = glob.glob(folder + "/**/*.xplane.pb", recursive=True)
    times = {}
    for plane in jax.profiler.ProfileData.from_file(file).planes:
        if "GPU" not in plane.name:
            continue
        for line in plane.lines:
            for event in line.events:
                key = f"{line.name} | {event.name}"
                micro, count = times.get(key, (0.0, 0))
                times[key] = (micro + event.duration_ns / 1e3 / steps, count + 1 / steps)
    return sorted(([name, *each] for name, each in times.items()), key=lambda each: -each[1])


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("precision")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--fenced", action="store_true")
    parser.add_argument("--compile-only", action="store_true")
    parser.add_argument("--kernels")
    parser.add_argument("--hlo")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(measure(arguments())))
