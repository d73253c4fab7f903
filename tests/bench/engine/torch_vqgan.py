"""The tokenizer in VQGAN's form in PyTorch's modules, as CompVis/taming-transformers has it
(taming/modules/diffusionmodules/model.py), for torch_steps.py."""

import torch
import torch.nn.functional as F
from torch import nn


def conv3(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def norm(width):
    return nn.GroupNorm(32, width, eps=1e-6)


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), conv3(inputs, outputs)
        self.norm2, self.conv2 = norm(outputs), conv3(outputs, outputs)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = norm(width)
        self.q, self.k, self.v, self.out = (nn.Conv2d(width, width, 1) for _ in range(4))

    def forward(self, x):
        y = self.norm(x)
        q, k, v = (layer(y).flatten(2).transpose(1, 2) for layer in (self.q, self.k, self.v))
        mixed = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(mixed.transpose(1, 2).reshape(x.shape))


class Down(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Up(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = conv3(width, width)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def level(inputs, outputs, count, attention):
    layers = []
    for i in range(count):
        layers.append(Block(outputs if i else inputs, outputs))
        if attention:
            layers.append(Attention(outputs))
    return layers


class Vqgan(nn.Module):
    def __init__(self, channels, multipliers, latent, codes, dim):
        super().__init__()
        widths = [channels * m for m in multipliers]
        low, last = widths[-1], len(widths) - 1
        middle = lambda: [Block(low, low), Attention(low), Block(low, low)]
        down, up = [conv3(3, channels)], [nn.Conv2d(dim, latent, 1), conv3(latent, low), *middle()]
        for i, width in enumerate(widths):
            down += level(widths[i - 1] if i else channels, width, 2, i == last)
            down += [Down(width)] if i < last else []
        for i in range(last, -1, -1):
            up += level(widths[i + 1] if i < last else low, widths[i], 3, i == last)
            up += [Up(widths[i])] if i else []
        self.encoder = nn.Sequential(*down, *middle(), norm(low), nn.SiLU(), conv3(low, latent), nn.Conv2d(latent, dim, 1))
        self.decoder = nn.Sequential(*up, norm(widths[0]), nn.SiLU(), conv3(widths[0], 3))
        self.register_buffer("vectors", F.normalize(torch.randn(codes, dim), dim=-1))
        self.register_buffer("counts", torch.zeros(codes))

    def forward(self, images):
        encoded = F.normalize(self.encoder(images * 2 - 1), dim=1)
        tokens = encoded.permute(0, 2, 3, 1).reshape(-1, encoded.shape[1])
        codes = (2 * tokens @ self.vectors.t() - self.vectors.square().sum(1)).argmax(1)
        b, _, h, w = encoded.shape
        quantised = self.vectors[codes].view(b, h, w, -1).permute(0, 3, 1, 2)
        output = self.decoder(encoded + (quantised - encoded).detach()) * 0.5 + 0.5
        return output, F.mse_loss(encoded, quantised.detach()), tokens.detach(), codes

    @torch.no_grad()
    def update(self, tokens, codes, candidates, decay=0.99):
        now = torch.zeros_like(self.counts).index_add_(0, codes, torch.ones_like(codes, dtype=torch.float32))
        sums = torch.zeros_like(self.vectors).index_add_(0, codes, tokens)
        self.counts.mul_(decay).add_(now, alpha=1 - decay)
        towards = torch.where((now == 0)[:, None], self.vectors, F.normalize(sums, dim=-1))
        self.vectors.copy_(F.normalize(decay * self.vectors + (1 - decay) * towards, dim=-1))
