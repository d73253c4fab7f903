"""Makes smoke.pth beside it: a checkpoint of MoCo v3's form and names with a ViT of width 8, and random numbers.

pip install torch timm. It is what smoke runs import instead of `vit-b-300ep.pth.tar`. Half precision, to be small.
"""
import argparse
import pathlib

import torch
from timm.models.vision_transformer import VisionTransformer

torch.manual_seed(20261126)
network = VisionTransformer(img_size=32, patch_size=8, embed_dim=8, depth=12, num_heads=2, num_classes=0)
for name, parameter in network.named_parameters():
    torch.nn.init.normal_(parameter, mean=1.0 if "norm" in name and "weight" in name else 0.0, std=0.2)
state = {f"module.base_encoder.{name}": tensor.half() for name, tensor in network.state_dict().items()}
# Of what else is in such a file, a part.
state["module.base_encoder.head.0.weight"] = torch.zeros(1, 8)
state["module.momentum_encoder.cls_token"] = torch.zeros(1, 1, 8)
checkpoint = {"epoch": 300, "arch": "vit_base", "state_dict": state, "args": argparse.Namespace(lr=1.5e-4)}
here = pathlib.Path(__file__).resolve().parent
torch.save(checkpoint, here / "smoke.pth")
