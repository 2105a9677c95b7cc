"""Optimisers by name, with the groups of parameters that a decoder wants.

SGD, Adam, AdamW and Adafactor are torch's. Muon, LAMB and Lion are written out here in a few lines
each: torch's own Muon takes no stacked experts and no sharded parameters, and no small kept library
has the other two (`pytorch-optimizer` and `timm` bring a hundred more things). The tests hold each
against its slow, obvious form, and Muon against torch's.

`build` makes the optimisers, `set_rate` follows a schedule. Nothing here clips gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.optim import SGD, Adafactor, Adam, AdamW, Optimizer

from codewright.train.distributed import spread_like, whole

Kind = Literal["matrix", "embedding", "vector"]
"""What a parameter is: a hidden matrix (or a stack of them), an embedding or head, or a vector."""

NAMES = ("adamw", "muon", "adam", "sgd", "adafactor", "lamb", "lion")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """Which optimiser, and its constants.

    name: one of NAMES. rate: the peak learning rate; 0 is derived by plan.py. decay: decoupled
    weight decay, of matrices and, where `decay_embeddings`, of embeddings and head; never of
    vectors (norms, biases).
    embedding_rate: the rate of embeddings and head as a multiple of `rate`. beta1 is also the
    momentum of `sgd`. momentum and newton_schulz (iterations) are Muon's.
    """

    name: str = "adamw"
    rate: float = 0.0
    decay: float = 0.1
    decay_embeddings: bool = False
    embedding_rate: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    momentum: float = 0.95
    newton_schulz: int = 5

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"no optimiser is called {self.name}: there are {', '.join(NAMES)}")
        if self.rate < 0:
            raise ValueError("rate is negative")


def kinds(model: nn.Module, head: Tensor | None = None) -> dict[str, Kind]:
    """Returns what each parameter of `model` is, by name; `head` is the output matrix."""
    embeddings = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    embeddings.add(id(head))
    return {
        name: "embedding" if id(p) in embeddings else "matrix" if p.ndim >= 2 else "vector"
        for name, p in model.named_parameters()
    }


def build(
    config: OptimizerConfig, parameters: Iterable[tuple[str, nn.Parameter]], kind: dict[str, Kind]
) -> list[Optimizer]:
    """Returns the optimisers of `parameters`: one, or with Muon a second for what is no matrix.

    Muon moves the hidden matrices and AdamW all else (Jordan et al., "Muon", 2024), at one rate:
    Muon's update is scaled to the size of AdamW's (Liu et al., "Muon is Scalable", 2025).
    """
    sorted_out: dict[Kind, list[nn.Parameter]] = {"matrix": [], "embedding": [], "vector": []}
    for name, parameter in parameters:
        if parameter.requires_grad:
            sorted_out[kind[name]].append(parameter)
    groups = {
        which: {
            "params": members,
            "weight_decay": _decay(config, which),
            "multiple": config.embedding_rate if which == "embedding" else 1.0,
        }
        for which, members in sorted_out.items()
        if members
    }
    if config.name == "muon" and "matrix" in groups:
        muon = Muon([groups.pop("matrix")], config.momentum, config.newton_schulz)
        return [muon, *([_make("adamw", config, list(groups.values()))] if groups else [])]
    name = "adamw" if config.name == "muon" else config.name
    return [_make(name, config, list(groups.values()))]


def _decay(config: OptimizerConfig, kind: Kind) -> float:
    decays = kind == "matrix" or (kind == "embedding" and config.decay_embeddings)
    return config.decay if decays else 0.0


def _make(name: str, config: OptimizerConfig, groups: list[dict[str, Any]]) -> Optimizer:
    rate, betas, epsilon = config.rate, (config.beta1, config.beta2), config.epsilon
    # The fused kernels know no sharded parameters.
    fused = not any(isinstance(p, DTensor) for group in groups for p in group["params"])
    makers: dict[str, Callable[[], Optimizer]] = {
        "adamw": lambda: AdamW(groups, lr=rate, betas=betas, eps=epsilon, fused=fused),
        # Decay added to the gradient is what sets Adam apart from AdamW.
        "adam": lambda: Adam(groups, lr=rate, betas=betas, eps=epsilon, fused=fused),
        "sgd": lambda: SGD(groups, lr=rate, momentum=config.beta1),
        "adafactor": lambda: Adafactor(groups, lr=rate),
        "lamb": lambda: Lamb(groups, rate, betas, epsilon),
        "lion": lambda: Lion(groups, rate, betas),
    }
    return makers[name]()


def set_rate(optimizers: Sequence[Optimizer], rate: float) -> None:
    """Sets the learning rate of the coming step, each group's multiple applied."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate * group["multiple"]


class _Plain(Optimizer):
    """What the three below share: groups in, `update` for those members that have a gradient."""

    def __init__(self, groups: list[dict[str, Any]], rate: float) -> None:
        super().__init__(groups, {"lr": rate, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Updates every parameter that has a gradient; takes no closure."""
        assert closure is None
        for group in self.param_groups:
            members = [p for p in group["params"] if p.grad is not None]
            if members:
                self.update(members, [p.grad for p in members], group)

    def update(self, members: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> None:
        raise NotImplementedError

    def kept(self, members: list[Tensor], name: str) -> list[Tensor]:
        """Returns the running tensor `name` of each member, zeros at first."""
        for member in members:
            if name not in self.state[member]:
                self.state[member][name] = torch.zeros_like(member)
        return [self.state[member][name] for member in members]


class Lion(_Plain):
    """Sign of an interpolated momentum (Chen et al., "Symbolic Discovery", 2023, algorithm 2)."""

    def __init__(
        self, groups: list[dict[str, Any]], rate: float, betas: tuple[float, float]
    ) -> None:
        super().__init__(groups, rate)
        self._betas = betas

    def update(self, members: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> None:
        momentum = self.kept(members, "momentum")
        update = torch._foreach_lerp(momentum, gradients, 1 - self._betas[0])
        torch._foreach_sign_(update)
        torch._foreach_mul_(members, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(members, update, alpha=-group["lr"])
        torch._foreach_lerp_(momentum, gradients, 1 - self._betas[1])


class Lamb(_Plain):
    """Adam's direction at the length of each tensor's norm (You et al., 2020, algorithm 2)."""

    def __init__(
        self,
        groups: list[dict[str, Any]],
        rate: float,
        betas: tuple[float, float],
        epsilon: float,
    ) -> None:
        super().__init__(groups, rate)
        self._betas, self._epsilon = betas, epsilon

    def update(self, members: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> None:
        beta1, beta2 = self._betas
        mean, square = self.kept(members, "mean"), self.kept(members, "square")
        for member in members:
            self.state[member]["step"] = self.state[member].get("step", 0) + 1
        torch._foreach_lerp_(mean, gradients, 1 - beta1)
        torch._foreach_mul_(square, beta2)
        torch._foreach_addcmul_(square, gradients, gradients, 1 - beta2)
        for member, m, v in zip(members, mean, square, strict=True):
            step = self.state[member]["step"]
            root = (v / (1 - beta2**step)).sqrt_().add_(self._epsilon)
            update = (m / (1 - beta1**step)).div_(root).add_(member, alpha=group["weight_decay"])
            size, length = member.norm(), update.norm()
            trust = torch.where((size > 0) & (length > 0), size / length, 1.0)
            member.sub_(update * (trust * group["lr"]))


class Muon(_Plain):
    """Momentum made orthogonal (Jordan et al., 2024), sized as AdamW's steps (Liu et al., 2025).

    The last two dimensions of a parameter are the matrix, those before them count experts. Matrices
    of one shape are iterated together, which a GPU wants; on a CPU core it makes no difference.
    """

    def __init__(self, groups: list[dict[str, Any]], momentum: float, iterations: int) -> None:
        super().__init__(groups, 0.0)
        self._momentum, self._iterations = momentum, iterations

    def update(self, members: list[Tensor], gradients: list[Tensor], group: dict[str, Any]) -> None:
        momentum = self.kept(members, "momentum")
        torch._foreach_lerp_(momentum, gradients, 1 - self._momentum)
        updates = torch._foreach_lerp(gradients, momentum, self._momentum)  # Nesterov
        torch._foreach_mul_(members, 1 - group["lr"] * group["weight_decay"])
        shapes: dict[torch.Size, list[int]] = {}
        for place, member in enumerate(members):
            shapes.setdefault(member.shape, []).append(place)
        for shape, places in shapes.items():
            scale = 0.2 * max(shape[-2:]) ** 0.5
            stacked = torch.stack([whole(updates[place]) for place in places])
            stacked = orthogonal(stacked, self._iterations)
            for place, update in zip(places, stacked, strict=True):
                member = members[place]
                member.add_(
                    spread_like(update.to(member.dtype), member), alpha=-group["lr"] * scale
                )


def orthogonal(matrices: Tensor, iterations: int) -> Tensor:
    """Returns each matrix with its singular values near 1 (0.7 to 1.2): matrices_…MN in bfloat16.

    The quintic Newton–Schulz iteration and its coefficients are Jordan's. The smaller side of a
    matrix is the one that is squared.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    turned = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.reshape(-1, *matrices.shape[-2:]).bfloat16()
    if turned:
        x = x.mT
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(iterations):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.mT if turned else x).reshape(matrices.shape)
