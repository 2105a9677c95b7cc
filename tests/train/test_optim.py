"""Each optimiser against its slow, obvious form, or against torch's own."""

import pytest
import torch
from torch import nn

from codewright.model.transformer import Decoder
from codewright.train.optim import (
    NAMES,
    Muon,
    OptimizerConfig,
    build,
    kinds,
    orthogonal,
    set_rate,
)
from tests.train import made

KIND = {"matrix": "matrix", "table": "embedding", "vector": "vector"}


def world(seed=0):
    noise = torch.Generator().manual_seed(seed)
    return {
        "matrix": nn.Parameter(torch.randn(6, 4, generator=noise)),
        "table": nn.Parameter(torch.randn(5, 3, generator=noise)),
        "vector": nn.Parameter(torch.randn(7, generator=noise)),
    }


def steps(parameters, count=4):
    """Yields after putting the same gradients into `parameters`, whoever asks."""
    noise = torch.Generator().manual_seed(9)
    for _ in range(count):
        for parameter in parameters.values():
            parameter.grad = torch.randn(parameter.shape, generator=noise)
        yield


def ours(name, rates, **settings):
    parameters = world()
    config = OptimizerConfig(name=name, rate=0.1, decay=0.2, **settings)
    optimizers = build(config, parameters.items(), KIND)
    for rate, _ in zip(rates, steps(parameters), strict=True):
        set_rate(optimizers, rate)
        for optimizer in optimizers:
            optimizer.step()
    return {name: p.detach() for name, p in parameters.items()}


RATES = (0.1, 0.05, 0.2, 0.01)
DECAY = {"matrix": 0.2, "table": 0.0, "vector": 0.0}


def by_hand(update):
    """`update(state, step, parameter, gradient, rate, decay)` changes the parameter."""
    parameters, states = world(), {name: {} for name in DECAY}
    for step, _ in enumerate(steps(parameters)):
        for name, p in parameters.items():
            with torch.no_grad():
                update(states[name], step + 1, p, p.grad, RATES[step], DECAY[name])
    return {name: p.detach() for name, p in parameters.items()}


def agree(found, wanted, **tolerance):
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], **tolerance)


def lion(state, step, p, g, rate, decay):
    m = state.setdefault("m", torch.zeros_like(p))
    p -= rate * (torch.sign(0.9 * m + 0.1 * g) + decay * p)
    state["m"] = 0.99 * m + 0.01 * g


def lamb(state, step, p, g, rate, decay):
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    v = state["v"] = 0.99 * state.get("v", 0) + 0.01 * g * g
    r = (m / (1 - 0.9**step)) / ((v / (1 - 0.99**step)).sqrt() + 1e-8) + decay * p
    p -= rate * p.norm() / r.norm() * r


def adamw(state, step, p, g, rate, decay):
    p *= 1 - rate * decay
    m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    v = state["v"] = 0.99 * state.get("v", 0) + 0.01 * g * g
    p -= rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.99**step)).sqrt() + 1e-8)


def adam(state, step, p, g, rate, decay):
    adamw(state, step, p, g + decay * p, rate, 0.0)


def sgd(state, step, p, g, rate, decay):
    m = state["m"] = 0.9 * state["m"] + g + decay * p if "m" in state else g + decay * p
    p -= rate * m


@pytest.mark.parametrize("slow", [lion, lamb, adamw, adam, sgd])
def test_an_optimiser_does_what_its_paper_says(slow):
    found = ours(slow.__name__, RATES, beta2=0.99)
    agree(found, by_hand(slow), rtol=1e-5, atol=1e-6)


def test_muon_moves_matrices_as_torchs_does_and_the_rest_as_adamw():
    found = ours("muon", RATES, beta2=0.99, newton_schulz=5)
    parameters = world()
    muon = torch.optim.Muon(
        [parameters["matrix"]], lr=0.1, weight_decay=0.2, adjust_lr_fn="match_rms_adamw"
    )
    for rate, _ in zip(RATES, steps(parameters), strict=True):
        muon.param_groups[0]["lr"] = rate
        muon.step()
    wanted = by_hand(adamw)
    wanted["matrix"] = parameters["matrix"].detach()
    # In bfloat16 a batch of matrices and one of them may be rounded differently.
    agree(found, wanted, rtol=0.02, atol=0.01)
    assert not torch.equal(found["matrix"], world()["matrix"])


def test_adafactor_is_torchs():
    found = ours("adafactor", RATES)
    parameters = world()
    theirs = torch.optim.Adafactor(
        [
            {"params": [parameters["matrix"]], "weight_decay": 0.2},
            {"params": [parameters["table"], parameters["vector"]]},
        ],
        lr=0.1,
    )
    for rate, _ in zip(RATES, steps(parameters), strict=True):
        for group in theirs.param_groups:
            group["lr"] = rate
        theirs.step()
    agree(found, {name: p.detach() for name, p in parameters.items()})


@pytest.mark.parametrize("shape", [(64, 64), (96, 32), (32, 96), (3, 48, 32)])
def test_newton_schulz_brings_singular_values_near_one(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    values = torch.linalg.svdvals(orthogonal(matrices, 5).float())
    # Of a square matrix the smallest ones are still on their way.
    assert values.flatten().quantile(0.1) > 0.6
    assert values.max() < 1.3
    one = orthogonal(matrices.flatten(0, -3)[0] if matrices.ndim > 2 else matrices, 5).float()
    stack = orthogonal(matrices, 5).float()
    torch.testing.assert_close(stack[0] if matrices.ndim > 2 else stack, one, rtol=0.03, atol=0.01)


def test_experts_in_one_tensor_are_moved_one_by_one():
    noise = torch.Generator().manual_seed(0)
    stacked = nn.Parameter(torch.randn(3, 8, 6, generator=noise))
    single = nn.Parameter(stacked[1].detach().clone())
    stacked.grad = torch.randn(3, 8, 6, generator=noise)
    single.grad = stacked.grad[1].clone()
    for parameter in (stacked, single):
        muon = Muon([{"params": [parameter], "weight_decay": 0.1, "multiple": 1.0}], 0.95, 5)
        set_rate([muon], 0.3)
        muon.step()
    torch.testing.assert_close(stacked[1], single, rtol=0.02, atol=0.01)


@pytest.mark.parametrize("tied", [True, False])
def test_what_each_parameter_of_a_decoder_is(tied):
    model = Decoder(made.config(tied=tied))
    kind = kinds(model, model.head_VD)
    assert {name for name, which in kind.items() if which == "embedding"} == {
        "embedding.weight",
        *(() if tied else ("head.weight",)),
    }
    assert all((which == "vector") == ("norm" in name) for name, which in kind.items())
    optimizers = build(OptimizerConfig(name="muon", rate=1.0), model.named_parameters(), kind)
    held = [id(p) for o in optimizers for group in o.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_decay_and_rate_of_embeddings_are_settings():
    parameters = world()
    config = OptimizerConfig(
        name="adamw", rate=0.1, decay=0.3, decay_embeddings=True, embedding_rate=0.5
    )
    (optimizer,) = build(config, parameters.items(), KIND)
    set_rate([optimizer], 0.2)
    decays = {group["weight_decay"]: group["lr"] for group in optimizer.param_groups}
    assert decays == {0.3: 0.1, 0.0: 0.2}
    with pytest.raises(ValueError, match="no optimiser is called adamm: there are adamw"):
        OptimizerConfig(name="adamm")


@pytest.mark.parametrize("name", NAMES)
def test_each_optimiser_makes_a_small_problem_smaller(name):
    torch.manual_seed(0)
    target = torch.randn(6, 4)
    parameters = {"matrix": nn.Parameter(torch.randn(6, 4)), "vector": nn.Parameter(torch.ones(4))}
    optimizers = build(OptimizerConfig(name=name, rate=0.02, decay=0.0), parameters.items(), KIND)
    losses = []
    for _ in range(40):
        loss = (parameters["matrix"] * parameters["vector"] - target).square().mean()
        loss.backward()
        losses.append(loss.item())
        set_rate(optimizers, 0.02)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    assert losses[-1] < 0.9 * losses[0]
