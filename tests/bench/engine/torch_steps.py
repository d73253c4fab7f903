"""The training steps of shapes.ts in PyTorch, each measured in a process of its own:

    python3 tests/bench/engine/torch_steps.py SHAPE MODE THREADS STEPS

MODE: eager or compile (torch.compile of model and loss). Needs PyTorch 1.13 or newer; newer ones use their fused
attention and AdamW. Prints the same JSON as measure.ts. `peak` instead of a shape: the matrix product peak.
"""

import json
import math
import resource
import sys
import time

import torch

from torch_models import Classifier, Inception, Mim, Reconstruction, Vgg16, Vit, Vqvae
from torch_vqgan import Vqgan

WARMUPS = 2
shape, mode, threads, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.set_flush_denormal(True)
torch.manual_seed(0)
CHANNELS_LAST = "nhwc" in mode


def vit_step(image, batch, dim, depth, heads, patch, scale_init, vocabulary=None, masked=None, classes=None):
    vit = Vit(dim, depth, heads, patch, image, scale_init, shared=not classes)
    tokens = (image // patch) ** 2
    images = torch.rand(batch, image, image, 3)
    if classes:
        return Classifier(vit, dim, classes), (images, torch.randint(classes, (batch,))), 1, None
    rows = torch.cat([i * tokens + torch.arange(masked) * 2 % tokens for i in range(batch)])
    mask = torch.zeros(batch * tokens).index_fill(0, rows, 1).view(batch, tokens, 1)
    return Mim(vit, dim, vocabulary), (images, mask, rows, torch.randint(vocabulary, (len(rows),))), 3, None


def vqvae_step(network, image, batch, width, stride, codes, dim):
    return tokenizer_step(Vqvae(width, stride, dim, codes), network, image, batch, stride, codes)


def tokenizer_step(tokenizer, network, image, batch, stride, codes):
    model = Reconstruction(tokenizer, network)
    images = torch.rand(batch, 3, image, image)
    if CHANNELS_LAST:
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    candidates = torch.randint(batch * (image // stride) ** 2, (codes,))
    update = lambda out: model.vqvae.update(out[1], out[2], candidates)
    return model, (images,), 1, update


base = dict(image=224, batch=8, dim=768, depth=12, heads=12, patch=16, scale_init=0.1)
SHAPES = {
    "mim-small": lambda: vit_step(32, 32, 192, 6, 3, 4, 0.1, vocabulary=512, masked=26),
    "finetune-small": lambda: vit_step(32, 32, 192, 6, 3, 4, 0.1, classes=100),
    "mim-base": lambda: vit_step(**base, vocabulary=8192, masked=75),
    "vqvae-small": lambda: vqvae_step(Inception(), 32, 64, 128, 8, 512, 32),
    "vqvae-large": lambda: vqvae_step(Vgg16(), 224, 4, 256, 16, 8192, 64),
    "vqvae-f16": lambda: tokenizer_step(Vqgan(128, (1, 1, 2, 2, 4), 256, 8192, 32), Vgg16(5), 224, 1, 16, 8192),
    "vqvae-f16-b2": lambda: tokenizer_step(Vqgan(128, (1, 1, 2, 2, 4), 256, 8192, 32), Vgg16(5), 224, 2, 16, 8192),
    "finetune-base": lambda: vit_step(**base, classes=1000),
}


def optimizer_for(parameters):
    if torch.__version__ >= "2.4":
        return torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.05, fused=True)
    return torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.05)


def measure():
    model, batch, clip, update = SHAPES[shape]()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = optimizer_for(parameters)
    started = time.perf_counter()
    forward = torch.compile(model) if "compile" in mode else model
    times, compile_ms = [], 0.0
    for step in range(WARMUPS + steps):
        before = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        out = forward(*batch)
        out[0].backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        if update:
            update(out)
        loss = out[0].item()
        if step == 0:
            compile_ms = (time.perf_counter() - started) * 1000
        if step >= WARMUPS:
            times.append((time.perf_counter() - before) * 1000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return dict(stepMs=times, compileMs=compile_ms, peakMiB=peak, loss=loss, description="torch " + torch.__version__)


def matmul_peak(size=2048, repetitions=12):
    a, b = torch.rand(size, size), torch.rand(size, size)
    best = math.inf
    for _ in range(repetitions):
        before = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - before)
    return dict(gflops=2 * size**3 / best / 1e9)


if __name__ == "__main__":
    print(json.dumps(matmul_peak() if shape == "peak" else measure()))
