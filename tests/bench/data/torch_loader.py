"""PyTorch's DataLoader with PIL and torchvision, as BEiT's pretraining uses them (microsoft/unilm, beit/datasets.py and
transforms.py: DataAugmentationForBEiT without its masks): `python torch_loader.py FOLDER BATCH WORKERS JITTER`. Driven by lines
as ours.ts is; `about` prints versions."""

import math
import random
import sys

import PIL
import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F


class CropTwice:
    """A random part, as RandomResizedCrop draws it, at 224 pixels by bicubic and at 112 by lanczos interpolation."""

    def part(self, image):
        width, height = image.size
        for _ in range(10):
            area = random.uniform(0.08, 1) * width * height
            ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if w <= width and h <= height:
                return random.randint(0, height - h), random.randint(0, width - w), h, w
        side = min(width, height)
        return (height - side) // 2, (width - side) // 2, side, side

    def __call__(self, image):
        part = self.part(image)
        return (
            F.resized_crop(image, *part, (224, 224), InterpolationMode.BICUBIC),
            F.resized_crop(image, *part, (112, 112), InterpolationMode.LANCZOS),
        )


class BeitViews:
    def __init__(self, jitter):
        self.common = transforms.Compose(
            ([transforms.ColorJitter(0.4, 0.4, 0.4)] if jitter else [])
            + [transforms.RandomHorizontalFlip(0.5), CropTwice()]
        )
        self.patches = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
        )
        self.tokens = transforms.Compose([transforms.ToTensor(), lambda x: 0.8 * x + 0.1])

    def __call__(self, image):
        patches, tokens = self.common(image)
        return self.patches(patches), self.tokens(tokens)


def main():
    root, batch, workers, jitter = sys.argv[1:]
    data = ImageFolder(root, transform=BeitViews(jitter == "jitter"))
    loader = DataLoader(
        data,
        batch_size=int(batch),
        shuffle=True,
        num_workers=int(workers),
        drop_last=True,
        persistent_workers=True,
    )

    def endless():
        while True:
            yield from loader

    batches = endless()
    print("ready", flush=True)
    for line in sys.stdin:
        skip, count = map(int, line.split())
        for _ in range(skip):
            next(batches)
        print("begin", flush=True)
        for _ in range(count):
            next(batches)
        print("end", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["about"]:
        print(
            f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, Pillow {PIL.__version__}"
        )
    else:
        main()
