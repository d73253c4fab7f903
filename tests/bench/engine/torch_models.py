"""The networks of the training steps of shapes.ts in PyTorch, for torch_steps.py and ../gpu/peer.py."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Positions(nn.Module):
    """BEiT's table of relative positions: what scores get by distance, one number a head."""

    def __init__(self, side, heads):
        super().__init__()
        self.tokens = side**2 + 1
        self.table = nn.Parameter(torch.zeros((2 * side - 1) ** 2 + 3, heads))
        y, x = [t.flatten() for t in torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")]
        index = torch.zeros(self.tokens, self.tokens, dtype=torch.long)
        index[1:, 1:] = (y[:, None] - y + side - 1) * (2 * side - 1) + x[:, None] - x + side - 1
        index[0, :], index[:, 0], index[0, 0] = [(2 * side - 1) ** 2 + i for i in range(3)]
        self.register_buffer("index", index.flatten())

    def forward(self):
        return self.table[self.index].view(self.tokens, self.tokens, -1).permute(2, 0, 1).contiguous().unsqueeze(0)


class DropPath(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.kept = 1 - rate

    def forward(self, x):
        return x if self.kept == 1 else x * (x.new_empty(x.shape[0], 1, 1).bernoulli_(self.kept) / self.kept)


class Block(nn.Module):
    def __init__(self, dim, heads, scale_init, drop, positions):
        super().__init__()
        self.heads, self.positions, self.drop = heads, positions, DropPath(drop)
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.query_bias, self.value_bias = [nn.Parameter(torch.zeros(dim)) for _ in range(2)]
        self.projection = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.expand = nn.Linear(dim, 4 * dim)
        self.contract = nn.Linear(4 * dim, dim)
        self.scale1 = nn.Parameter(torch.full((dim,), scale_init))
        self.scale2 = nn.Parameter(torch.full((dim,), scale_init))

    def attend(self, x, bias):
        batch, count, dim = x.shape
        size = dim // self.heads
        biases = torch.cat((self.query_bias, torch.zeros_like(self.value_bias), self.value_bias))
        products = F.linear(x, self.qkv.weight, biases)
        q, k, v = products.view(batch, count, 3, self.heads, size).permute(2, 0, 3, 1, 4).unbind(0)
        if hasattr(F, "scaled_dot_product_attention"):
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        else:
            mixed = ((q * size**-0.5) @ k.transpose(-2, -1) + bias).softmax(-1) @ v
        return self.projection(mixed.transpose(1, 2).reshape(batch, count, dim))

    def forward(self, x, shared):
        attended = self.attend(self.norm1(x), self.positions() if self.positions else shared)
        x = x + self.drop(attended * self.scale1)
        mixed = self.contract(F.gelu(self.expand(self.norm2(x))))
        return x + self.drop(mixed * self.scale2)


class Vit(nn.Module):
    def __init__(self, dim, depth, heads, patch, image, scale_init, shared):
        super().__init__()
        self.patch = patch
        side = image // patch
        self.embed = nn.Linear(patch * patch * 3, dim)
        self.class_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.positions = Positions(side, heads) if shared else None
        self.blocks = nn.ModuleList(
            Block(dim, heads, scale_init, 0.1 * i / (depth - 1), None if shared else Positions(side, heads))
            for i in range(depth)
        )
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]))

    def embedded(self, images):
        b, h, w, c = images.shape
        p = self.patch
        x = ((images - self.mean) / self.deviation).view(b, h // p, p, w // p, p, c).permute(0, 1, 3, 2, 4, 5).reshape(b, -1, p * p * c)
        return self.embed(x)

    def encode(self, x):
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1)
        shared = self.positions() if self.positions else None
        for block in self.blocks:
            x = block(x, shared)
        return x[:, 1:]


class Mim(nn.Module):
    def __init__(self, vit, dim, vocabulary):
        super().__init__()
        self.vit = vit
        self.mask_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, vocabulary)

    def forward(self, images, mask, rows, codes):
        x = self.vit.embedded(images)
        x = self.vit.encode(x * (1 - mask) + self.mask_token * mask)
        x = x.reshape(-1, x.shape[-1])[rows]
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits, codes), (logits.argmax(-1) == codes).float().mean()


class Classifier(nn.Module):
    def __init__(self, vit, dim, classes):
        super().__init__()
        self.vit = vit
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, classes)

    def forward(self, images, labels):
        logits = self.head(self.norm(self.vit.encode(self.vit.embedded(images)).mean(1)))
        return F.cross_entropy(logits, labels, label_smoothing=0.1), (logits.argmax(-1) == labels).float().mean()


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, width, eps=1e-6), nn.GroupNorm(8, width, eps=1e-6)
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class Vqvae(nn.Module):
    def __init__(self, width, stride, dim, codes):
        super().__init__()
        levels = int(math.log2(stride))
        widths = [max(16, width >> (levels - 1 - i)) for i in range(levels)]
        self.down = nn.ModuleList(
            nn.Conv2d(3 if i == 0 else widths[i - 1], widths[i], 4, 2, 1) for i in range(levels)
        )
        self.encode_blocks = nn.Sequential(Residual(width), Residual(width))
        self.encode_norm = nn.GroupNorm(8, width, eps=1e-6)
        self.encode_out = nn.Conv2d(width, dim, 1)
        self.decode_in = nn.Conv2d(dim, width, 3, padding=1)
        self.decode_blocks = nn.Sequential(Residual(width), Residual(width))
        self.decode_norm = nn.GroupNorm(8, width, eps=1e-6)
        back = widths[::-1]
        self.up = nn.ModuleList(
            nn.Conv2d(back[i], 4 * (back[i + 1] if i + 1 < levels else 3), 3, padding=1) for i in range(levels)
        )
        self.register_buffer("vectors", torch.randn(codes, dim))
        self.register_buffer("counts", torch.zeros(codes))
        self.register_buffer("sums", torch.zeros(codes, dim))

    def forward(self, images):
        x = images * 2 - 1
        for i, layer in enumerate(self.down):
            x = layer(x if i == 0 else F.silu(x))
        encoded = self.encode_out(F.silu(self.encode_norm(self.encode_blocks(x))))
        tokens = encoded.permute(0, 2, 3, 1).reshape(-1, encoded.shape[1])
        codes = (2 * tokens @ self.vectors.t() - self.vectors.square().sum(1)).argmax(1)
        b, _, h, w = encoded.shape
        quantised = self.vectors[codes].view(b, h, w, -1).permute(0, 3, 1, 2)
        x = self.decode_in(encoded + (quantised - encoded).detach())
        x = self.decode_norm(self.decode_blocks(x))
        for layer in self.up:
            x = F.pixel_shuffle(layer(F.silu(x)), 2)
        return x * 0.5 + 0.5, F.mse_loss(encoded, quantised.detach()), tokens.detach(), codes

    @torch.no_grad()
    def update(self, tokens, codes, candidates, decay=0.97, epsilon=1e-5):
        size = self.vectors.shape[0]
        now = torch.zeros_like(self.counts).index_add_(0, codes, torch.ones_like(codes, dtype=torch.float32))
        total_now = torch.zeros_like(self.sums).index_add_(0, codes, tokens)
        self.counts.mul_(decay).add_(now, alpha=1 - decay)
        self.sums.mul_(decay).add_(total_now, alpha=1 - decay)
        total = self.counts.sum()
        smooth = (self.counts + epsilon) / (total + size * epsilon) * total
        alive = (self.counts >= 0.05)[:, None]
        fresh = tokens[candidates]
        self.vectors.copy_(torch.where(alive, self.sums / smooth[:, None], fresh))
        self.sums.copy_(torch.where(alive, self.sums, fresh))
        self.counts.copy_(torch.where(alive[:, 0], self.counts, torch.ones_like(self.counts)))


class Vgg16(nn.Module):
    """To relu4_3 or relu5_3; gives relu1_2, relu2_2, relu3_3, relu4_3, relu5_3."""

    def __init__(self, stages=4):
        super().__init__()
        layers, inputs = [], 3
        for outputs, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))[:stages]:
            group = []
            for _ in range(count):
                group.append(nn.Conv2d(inputs, outputs, 3, padding=1))
                inputs = outputs
            layers.append(nn.ModuleList(group))
        self.stages = nn.ModuleList(layers)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225])[:, None, None])

    def forward(self, x):
        found, x = [], (x - self.mean) / self.deviation
        for i, stage in enumerate(self.stages):
            x = F.max_pool2d(x, 2) if i > 0 else x
            for layer in stage:
                x = F.relu(layer(x))
            found.append(x)
        return found


class Mixed0(nn.Module):
    def __init__(self):
        super().__init__()
        conv = lambda i, o, k: nn.Conv2d(i, o, k, padding=k // 2)
        self.one = conv(192, 64, 1)
        self.five = nn.ModuleList([conv(192, 48, 1), conv(48, 64, 5)])
        self.double_three = nn.ModuleList([conv(192, 64, 1), conv(64, 96, 3), conv(96, 96, 3)])
        self.projection = conv(192, 32, 1)

    def forward(self, x):
        pooled = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        branches = ((x, [self.one]), (x, self.five), (x, self.double_three), (pooled, [self.projection]))
        return torch.cat([self.branch(start, layers) for start, layers in branches], 1)

    def branch(self, x, layers):
        for layer in layers:
            x = F.relu(layer(x))
        return x


class Inception(nn.Module):
    """To mixed0; gives activation_3, activation_5, mixed0. Images are enlarged twice."""

    def __init__(self):
        super().__init__()
        self.stem = nn.ModuleList(
            [
                nn.Conv2d(3, 32, 3, 2),
                nn.Conv2d(32, 32, 3),
                nn.Conv2d(32, 64, 3, padding=1),
                nn.Conv2d(64, 80, 1),
                nn.Conv2d(80, 192, 3),
            ]
        )
        self.mixed0 = Mixed0()

    def forward(self, x):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        found = []
        for depth, layer in enumerate(self.stem):
            x = F.relu(layer(x))
            if depth in (2, 4):
                found.append(x)
                x = F.max_pool2d(x, 3, 2)
        return found + [self.mixed0(x)]


def unit(x):
    return x / (x.square().sum(1, keepdim=True) + 1e-10).sqrt()


class Reconstruction(nn.Module):
    def __init__(self, vqvae, network):
        super().__init__()
        self.vqvae, self.network = vqvae, network.requires_grad_(False)

    def forward(self, images):
        with torch.no_grad():
            targets = [unit(f) for f in self.network(images)]
        output, commitment, tokens, codes = self.vqvae(images)
        features = [unit(f) for f in self.network(output)]
        perceptual = sum((a - b).square().sum(1).mean() for a, b in zip(features, targets))
        return F.mse_loss(output, images) + perceptual + 0.25 * commitment, tokens, codes
