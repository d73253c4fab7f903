"""The training steps of shapes.ts in PyTorch, each measured in a process of its own:

    python3 tests/bench/engine/torch_steps.py SHAPE[:BATCH] MODE THREADS cpu|cuda

MODE: eager or compile (torch.compile of model and loss), then -nhwc (channels last) and -bf16 (autocast) if wanted.
Float32 on a GPU means TF32 in products. Needs PyTorch 1.13 or newer; newer ones use their fused attention and AdamW.
Speaks with bench.ts as measure.ts does. `peak` instead of a shape: the matrix product peak.
"""

import json
import math
import resource
import sys
import time

import torch

from torch_models import Classifier, Inception, Mim, Reconstruction, Vgg16, Vit, Vqvae
from torch_vqgan import Vqgan

shape, mode, threads, device = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
torch.set_flush_denormal(True)
torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
WAYS = mode.split("-")
CHANNELS_LAST = "nhwc" in WAYS


def vit_step(batch, image, dim, depth, heads, patch, scale_init, vocabulary=None, masked=None, classes=None):
    vit = Vit(dim, depth, heads, patch, image, scale_init, shared=not classes)
    tokens = (image // patch) ** 2
    images = torch.rand(batch, image, image, 3)
    if classes:
        return Classifier(vit, dim, classes), (images, torch.randint(classes, (batch,))), 1, None
    rows = torch.cat([i * tokens + torch.arange(masked) * 2 % tokens for i in range(batch)])
    mask = torch.zeros(batch * tokens).index_fill(0, rows, 1).view(batch, tokens, 1)
    return Mim(vit, dim, vocabulary), (images, mask, rows, torch.randint(vocabulary, (len(rows),))), 3, None


def vqvae_step(batch, network, image, width, stride, codes, dim):
    return tokenizer_step(batch, Vqvae(width, stride, dim, codes), network, image, stride, codes)


def tokenizer_step(batch, tokenizer, network, image, stride, codes):
    model = Reconstruction(tokenizer, network)
    images = torch.rand(batch, 3, image, image)
    if CHANNELS_LAST:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    candidates = torch.randint(batch * (image // stride) ** 2, (codes,), device=device)
    update = lambda out: model.vqvae.update(out[1].float(), out[2], candidates)
    return model, (images,), 1, update


base = dict(image=224, dim=768, depth=12, heads=12, patch=16, scale_init=0.1)
SHAPES = {
    "mim-small": (32, lambda n: vit_step(n, 32, 192, 6, 3, 4, 0.1, vocabulary=512, masked=26)),
    "finetune-small": (32, lambda n: vit_step(n, 32, 192, 6, 3, 4, 0.1, classes=100)),
    "mim-base": (8, lambda n: vit_step(n, **base, vocabulary=8192, masked=75)),
    "vqvae-small": (64, lambda n: vqvae_step(n, Inception(), 32, 128, 8, 512, 32)),
    "vqvae-large": (4, lambda n: vqvae_step(n, Vgg16(), 224, 256, 16, 8192, 64)),
    "vqvae-f16": (1, lambda n: tokenizer_step(n, Vqgan(128, (1, 1, 2, 2, 4), 256, 8192, 32), Vgg16(5), 224, 16, 8192)),
    "finetune-base": (8, lambda n: vit_step(n, **base, classes=1000)),
}


def optimizer_for(parameters):
    if torch.__version__ >= "2.4":
        return torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.05, fused=True)
    return torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.05)


def stepper():
    """A function that does a step and gives its loss."""
    name, _, given = shape.partition(":")
    usual, make = SHAPES[name]
    model, batch, clip, update = make(int(given or usual))
    model, batch = model.to(device), [each.to(device) for each in batch]
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = optimizer_for(parameters)
    forward = torch.compile(model) if "compile" in WAYS else model

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled="bf16" in WAYS):
            out = forward(*batch)
        out[0].backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        if update:
            update(out)
        return out[0].item()

    return step


def say(**values):
    print(json.dumps(values), flush=True)


def start():
    before = time.perf_counter()
    step = stepper()
    compiled = time.perf_counter()
    step()
    compile_ms = (time.perf_counter() - compiled) * 1000
    warm = time.perf_counter()
    step()
    if time.perf_counter() - warm < 1:
        step()
    start_ms = (time.perf_counter() - before) * 1000
    say(startMs=start_ms, compileMs=compile_ms, description="PyTorch " + torch.__version__)
    return step


def resident():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * resource.getpagesize() / 2**20


def measure(step, seconds):
    times, used, loss = [], time.process_time(), 0.0
    while len(times) < 2 or sum(times) < seconds * 1000:
        before = time.perf_counter()
        loss = step()
        times.append((time.perf_counter() - before) * 1000)
    cpu = (time.process_time() - used) * 1000 / len(times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(stepMs=times, cpuMs=cpu, residentMiB=resident(), peakMiB=peak, loss=loss)


def matmul_peak(size=2048, repetitions=12):
    a, b = torch.rand(size, size), torch.rand(size, size)
    best = math.inf
    for _ in range(repetitions):
        before = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - before)
    say(gflops=2 * size**3 / best / 1e9)


if __name__ == "__main__":
    if shape == "peak":
        matmul_peak()
    else:
        ready = start()
        for line in sys.stdin:
            measure(ready, float(line))
