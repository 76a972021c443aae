#!/usr/bin/env python3
"""Trains a small model with PyTorch and writes to `Checkpoint` its state_dict as the ecosystem saves it,
`trained.safetensors`, and `trained_activations.safetensors`: for each normalization layer of the model in eval mode an
input, and what PyTorch makes of it, as `<module>.input` and `<module>.output`.

Needs torch, numpy and safetensors; make_fixtures.py says how they are found. Training is not the same bit for bit on
every machine, so the files are not made again by `make check`.
"""

import pathlib

import make_fixtures  # Makes the environment where torch is missing.
import torch
from safetensors.torch import save_file
from torch import nn

DIRECTORY = pathlib.Path(make_fixtures.__file__).resolve().parent / "Checkpoint"


class ConvNet(nn.Module):
    """Batch norms with names of their own and in a Sequential, group and instance norms."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.conv = nn.Conv2d(8, 16, 3, padding=1)
        self.bn = nn.BatchNorm2d(16, eps=1e-3)
        self.group_norm = nn.GroupNorm(4, 16)
        self.instance_norm = nn.InstanceNorm2d(16, affine=True)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.bn(self.conv(self.stem(x))).relu()
        x = self.instance_norm(self.group_norm(x)).relu()
        return self.head(x.mean((2, 3)) + x.amax((2, 3)))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.vision = ConvNet()
        self.embedding = nn.Embedding(50, 24)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(24, 4, 48, dropout=0, batch_first=True), 2, enable_nested_tensor=False
        )
        self.rms_norm = nn.RMSNorm(24, eps=1e-6)
        self.ln_f = nn.LayerNorm(24)
        self.head = nn.Linear(24, 10)

    def forward(self, image, tokens):
        text = self.ln_f(self.rms_norm(self.encoder(self.embedding(tokens))))
        return self.vision(image) + self.head(text.mean(1))


def main():
    torch.manual_seed(0)
    model = Model()
    # Also what norms have at the start is to change: ones and zeros would hide mistakes.
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    data = [(torch.randn(16, 3, 8, 8), torch.randint(50, (16, 12)), torch.randint(10, (16,))) for _ in range(8)]
    for step in range(200):
        image, tokens, target = data[step % len(data)]
        loss = nn.functional.cross_entropy(model(image, tokens), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"loss after training: {loss.item():.4f}")

    model.eval()
    activations = {}
    norms = (nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, nn.LayerNorm, nn.RMSNorm)
    for name, module in model.named_modules():
        if isinstance(module, norms):

            def hook(_, inputs, output, name=name):
                activations[f"{name}.input"] = inputs[0][:2].detach().clone()
                activations[f"{name}.output"] = output[:2].detach().clone()

            module.register_forward_hook(hook)
    torch.backends.mha.set_fastpath_enabled(False)
    with torch.no_grad():
        model(*data[0][:2])
    save_file(model.state_dict(), DIRECTORY / "trained.safetensors")
    save_file(activations, DIRECTORY / "trained_activations.safetensors")


if __name__ == "__main__":
    main()
