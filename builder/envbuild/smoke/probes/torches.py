"""torch: the GPU architectures that it has code for, and one operation on a GPU."""

from __future__ import annotations

import importlib
import re
from typing import Any

from .results import PASS
from .steps import Answer, State, StepFailedError

_CODE = re.compile(r"^(sm|compute)_(\d+)(\d)([af]?)$")


def architectures(step: dict[str, Any], _: State) -> Answer:
    """torch has code that runs on each architecture; that needs no GPU."""
    torch = importlib.import_module("torch")
    codes = compiled_for(torch)
    if not codes:
        raise StepFailedError(f"torch {torch.__version__} is a build for processors alone")
    without = [gpu for gpu in step["gpus"] if not any(runs_on(code, gpu) for code in codes)]
    if without:
        raise StepFailedError(
            f"torch {torch.__version__} has no code for {', '.join(without)}; it has "
            f"{', '.join(codes)}"
        )
    return PASS, f"torch {torch.__version__}: {', '.join(codes)}"


def compiled_for(torch: Any) -> list[str]:
    """What torch was compiled for (``sm_80``, ``compute_90``).

    ``torch.cuda.get_arch_list`` says nothing on a machine without a GPU; it reads this.
    """
    flags = getattr(torch._C, "_cuda_getArchFlags", None)  # noqa: SLF001
    said = flags() if flags is not None else None
    return said.split() if said else list(torch.cuda.get_arch_list())


def runs_on(code: str, gpu: str) -> bool:
    """Whether compiled code runs on a GPU (CUDA's rule).

    Binary code runs on the same major and the same or a later minor number; PTX (``compute``) on
    anything later. Code with the suffix ``a`` runs on its very own architecture alone, with ``f``
    on its family.
    """
    have, want = _CODE.match(code), _CODE.match(gpu)
    if have is None or want is None:
        return False
    kind, major, minor, suffix = have.groups()
    of_code, of_gpu = (int(major), int(minor)), (int(want[2]), int(want[3]))
    if suffix == "a":
        return of_code == of_gpu
    if kind == "compute" and not suffix:
        return of_code <= of_gpu
    return of_code[0] == of_gpu[0] and of_code[1] <= of_gpu[1]


def operation(_: dict[str, Any], __: State) -> Answer:
    """A product of two matrices on the GPU, held against the processor's."""
    torch = importlib.import_module("torch")
    one = torch.arange(64, dtype=torch.float32).reshape(8, 8)
    there = (one.cuda() @ one.cuda()).cpu()
    if not torch.allclose(there, one @ one):
        raise StepFailedError("the GPU's product of two matrices is not the processor's")
    return PASS, str(torch.cuda.get_device_name(0))
