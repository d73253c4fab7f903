"""Makes smoke/SIDE-STRIDE.pkl beside it: encoders and decoders of DALL-E's form with 4 channels instead of 256, 16 codes
instead of 8,192 and random numbers. They are what smoke runs import instead of OpenAI's files.

pip install torch DALL-E attrs. Stride 8 is whole modules of the official classes, as OpenAI's files are; stride 4, which
those classes can't have, is dicts of tensors. Half precision, to be small.
"""
import pathlib

import attr
import torch
from dall_e.decoder import Decoder
from dall_e.encoder import Encoder

attr.validators.set_disabled(True)  # sizes below the official classes' limits
HERE = pathlib.Path(__file__).resolve().parent / "smoke"
WIDTH, CODES, DIM = 4, 16, 8
torch.manual_seed(20261126)


def fill(tensors):
    """Larger than the official start, so that codes differ between images."""
    for tensor in tensors.values():
        torch.nn.init.normal_(tensor, std=0.1 if tensor.ndim == 1 else (2 / tensor[0].numel()) ** 0.5)
    return tensors



encoder = Encoder(n_hid=WIDTH, n_blk_per_group=1, vocab_size=CODES)
decoder = Decoder(n_init=DIM, n_hid=WIDTH, n_blk_per_group=1, vocab_size=CODES)
for module in (encoder, decoder):
    fill(dict(module.named_parameters()))
torch.save(encoder.half(), HERE / "encoder-8.pkl")
torch.save(decoder.half(), HERE / "decoder-8.pkl")

# Three groups: the encoder's last and the decoder's first, the lowest resolution, are left out.
lowest = 4 * WIDTH
state = {name: value for name, value in encoder.state_dict().items() if "group_4" not in name}
state["blocks.output.conv.w"] = fill({"w": torch.empty(CODES, lowest, 1, 1)})["w"].half()
torch.save(state, HERE / "encoder-4.pkl")
state = {}
for name, value in decoder.state_dict().items():
    group = int(name.split("group_")[1][0]) if "group_" in name else 0
    if group != 1:
        state[name.replace(f"group_{group}", f"group_{group - 1}")] = value
first = "blocks.group_1.block_1"
state[f"{first}.id_path.w"] = fill({"w": torch.empty(lowest, DIM, 1, 1)})["w"].half()
state[f"{first}.res_path.conv_1.w"] = fill({"w": torch.empty(lowest // 4, DIM, 1, 1)})["w"].half()
torch.save(state, HERE / "decoder-4.pkl")
