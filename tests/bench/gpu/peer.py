"""The same training steps as PyTorch users would write them, measured on a GPU:

    python3 tests/bench/gpu/peer.py SHAPE-BATCH PRECISION [--mode default] [--attention sdpa] [--steps 20] [--blocks 3]

SHAPE: mim-base, mim-base-dalle, vqvae-f16 (steps.ts). PRECISION: float32, tf32 or bf16 (autocast). --mode: of torch.compile
(default, max-autotune-no-cudagraphs), or eager. --attention: sdpa, or plain for products and softmax. AdamW is PyTorch's fused
one. Prints JSON as measure.py does.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))
import torch_models
from torch_models import Mim, Reconstruction, Vgg16, Vit
from torch_vqgan import Vqgan

VOCABULARY, MASKED, SIDE = 8192, 75, 224


class DalleBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        inner = outputs // 4
        sizes = ((inputs, inner, 3), (inner, inner, 3), (inner, inner, 3), (inner, outputs, 1))
        self.layers = nn.ModuleList(nn.Conv2d(i, o, k, padding=k // 2) for i, o, k in sizes)
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        y = x
        for layer in self.layers:
            y = layer(F.relu(y))
        return self.skip(x) + y / 64


class DalleEncoder(nn.Module):
    """openai/DALL-E's encoder: four resolutions of two blocks."""

    def __init__(self, width=256, codes=VOCABULARY):
        super().__init__()
        layers, inputs = [nn.Conv2d(3, width, 7, padding=3)], width
        for group in range(4):
            outputs = width * 2**group
            layers += [nn.MaxPool2d(2)] if group else []
            layers += [DalleBlock(inputs, outputs), DalleBlock(outputs, outputs)]
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(inputs, codes, 1))

    @torch.no_grad()
    def forward(self, images):
        return self.layers(images * 0.8 + 0.1).argmax(1).flatten(1)


class Pretraining(nn.Module):
    """Pictures are bytes, [batch, height, width, 3]; codes are given, or a frozen encoder's."""

    def __init__(self, encoder=None):
        super().__init__()
        self.mim = Mim(Vit(768, 12, 12, 16, SIDE, 0.1, shared=True), 768, VOCABULARY)
        self.encoder = encoder and encoder.requires_grad_(False)

    def forward(self, images, mask, rows, tokens):
        codes = tokens
        if self.encoder:
            codes = self.encoder(tokens.permute(0, 3, 1, 2).float() / 255)
        return self.mim(images.float() / 255, mask, rows, codes.flatten()[rows])


class Tokenizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Reconstruction(Vqgan(128, (1, 1, 2, 2, 4), 256, 8192, 32), Vgg16(5))

    def forward(self, images):
        return self.model(images.float() / 255)


def step_of(shape, batch):
    """Model, its batch, the norm that gradients are clipped to, what follows a step."""
    bytes_of = lambda *size: torch.randint(0, 256, size, dtype=torch.uint8, device="cuda")
    if shape == "vqvae-f16":
        model = Tokenizer().cuda().to(memory_format=torch.channels_last)
        images = bytes_of(batch, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
        return model, (images,), 1, lambda out: model.model.vqvae.update(out[1].float(), out[2], None)
    tokens = (SIDE // 16) ** 2
    rows = torch.cat([i * tokens + torch.arange(MASKED) * 2 % tokens for i in range(batch)]).cuda()
    mask = torch.zeros(batch * tokens, device="cuda").index_fill(0, rows, 1).view(batch, tokens, 1)
    images = bytes_of(batch, SIDE, SIDE, 3)
    if shape == "mim-base-dalle":
        encoder = DalleEncoder().to(memory_format=torch.channels_last)
        return Pretraining(encoder).cuda(), (images, mask, rows, bytes_of(batch, 112, 112, 3)), 3, None
    codes = torch.randint(VOCABULARY, (batch, tokens), device="cuda")
    return Pretraining().cuda(), (images, mask, rows, codes), 3, None


def plain_attention():
    """Without fused attention: products and a softmax, which the compiler may fuse."""

    def attend(self, x, bias):
        batch, count, dim = x.shape
        size = dim // self.heads
        biases = torch.cat((self.query_bias, torch.zeros_like(self.value_bias), self.value_bias))
        products = F.linear(x, self.qkv.weight, biases)
        q, k, v = products.view(batch, count, 3, self.heads, size).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = ((q * size**-0.5) @ k.transpose(-2, -1) + bias).softmax(-1) @ v
        return self.projection(mixed.transpose(1, 2).reshape(batch, count, dim))

    torch_models.Block.attend = attend


def measure(arguments):
    shape, batch = arguments.shape.rsplit("-", 1)
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = arguments.precision == "tf32"
    if arguments.attention == "plain":
        plain_attention()
    model, given, clip, after = step_of(shape, int(batch))
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, weight_decay=0.05, fused=True)
    forward = model if arguments.mode == "eager" else torch.compile(model, mode=arguments.mode)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16, enabled=arguments.precision == "bf16"):
            out = forward(*given)
        out[0].backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
        if after:
            after(out)
        return out[0]

    started = time.perf_counter()
    losses = [step().item() for _ in range(3)]
    compiling = time.perf_counter() - started
    torch.cuda.reset_peak_memory_stats()
    rates = []
    for _ in range(arguments.blocks):
        before = time.perf_counter()
        for _ in range(arguments.steps):
            loss = step()
        losses.append(loss.item())
        rates.append(int(batch) * arguments.steps / (time.perf_counter() - before))
    if arguments.kernels:
        with open(arguments.kernels, "w") as stream:
            json.dump(kernels_of(step), stream)
    return dict(
        engine=f"PyTorch, {arguments.mode}, {arguments.attention}",
        shape=arguments.shape,
        precision=arguments.precision,
        compileS=round(compiling, 1),
        imagesPerSecond=[round(rate, 1) for rate in rates],
        peakGiB=round(torch.cuda.max_memory_allocated() / 2**30, 2),
        losses=[round(loss, 4) for loss in losses],
        device=torch.cuda.get_device_name(),
        torch=torch.__version__,
    )


def kernels_of(step, steps=3):
    """Microseconds a step of each kernel on the device, by name."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(steps):
            step()
        torch.cuda.synchronize()
    found = [[each.key, each.self_device_time_total / steps, each.count / steps] for each in profile.key_averages()]
    return sorted(found, key=lambda each: -each[1])


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("shape")
    parser.add_argument("precision", choices=("float32", "tf32", "bf16"))
    parser.add_argument("--mode", default="default")
    parser.add_argument("--attention", default="sdpa", choices=("sdpa", "plain"))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--kernels")
    return parser.parse_args()


if __name__ == "__main__":
    print(json.dumps(measure(arguments())))
