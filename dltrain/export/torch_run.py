"""What does a program of PyTorch (.pt2) give for some rows? Run as a process, with torch alone.

python -m dltrain.export.torch_run MODEL.pt2 ROWS.npy OUTPUTS.npy OUTPUT
"""

from __future__ import annotations

import sys

import numpy as np


def main() -> None:
    """Write the output named OUTPUT, for the rows in ROWS.npy, into OUTPUTS.npy."""
    import torch

    model, given, found, output = sys.argv[1:]
    program = torch.export.load(model).module()
    outputs = program(torch.from_numpy(np.load(given)))
    np.save(found, outputs[output].numpy())


if __name__ == "__main__":
    main()
