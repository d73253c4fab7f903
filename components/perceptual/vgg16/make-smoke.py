"""Makes smoke.pth beside it: a VGG16 of torchvision's form and names with 2 channels instead of 64, and random numbers.

pip install torch torchvision. It is what smoke runs import instead of `vgg16-397923af.pth`, and like that one it is
in PyTorch's old format. Half precision, to be small.
"""
import pathlib

import torch
from torchvision.models.vgg import make_layers

torch.manual_seed(20261126)
FORM = [2, 2, "M", 4, 4, "M", 8, 8, 8, "M", 16, 16, 16, "M", 16, 16, 16, "M"]
features = make_layers(FORM)
for layer in features:
    if isinstance(layer, torch.nn.Conv2d):
        torch.nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
        torch.nn.init.normal_(layer.bias, std=0.1)
state = {f"features.{name}": tensor.half() for name, tensor in features.state_dict().items()}
# The classifier is left aside on import: a part of it, to show that.
state["classifier.6.bias"] = torch.zeros(10)
here = pathlib.Path(__file__).resolve().parent
torch.save(state, here / "smoke.pth", _use_new_zipfile_serialization=False)
