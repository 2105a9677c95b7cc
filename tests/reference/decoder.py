"""A decoder as slow and obvious as can be: one position, one head, one expert at a time.

Numbers are float64. It reads the weights by our names, and shares no code with the package but
the config.
"""

from __future__ import annotations

import math

import numpy as np

from codewright.model.config import ModelConfig


class SlowDecoder:
    """Logits of one sequence."""

    def __init__(self, config: ModelConfig, weights: dict[str, np.ndarray]) -> None:
        self.config = config
        self.weights = {name: weight.astype(np.float64) for name, weight in weights.items()}

    def logits(self, ids: list[int]) -> np.ndarray:
        """Returns [T, V]."""
        stream = [self.weights["embedding.weight"][token] for token in ids]
        for layer in range(self.config.layers):
            name = f"layers.{layer}"
            inner = [self.norm(f"{name}.attention_norm", x) for x in stream]
            added = self.attention(f"{name}.attention", inner, self.config.window(layer))
            stream = [x + y for x, y in zip(stream, added, strict=True)]
            inner = [self.norm(f"{name}.feed_forward_norm", x) for x in stream]
            added = [self.feed_forward(f"{name}.feed_forward", x) for x in inner]
            stream = [x + y for x, y in zip(stream, added, strict=True)]
        head = self.weights["embedding.weight" if self.config.tied else "head.weight"]
        return np.stack([head @ self.norm("norm", x) for x in stream])

    def norm(self, name, x):
        if self.config.norm == "layer":
            x = x - x.mean()
        x = x / math.sqrt((x**2).mean() + self.config.norm_eps)
        return x * self.weights[f"{name}.weight"] + self.weights.get(f"{name}.bias", 0.0)

    def linear(self, name, x):
        return self.weights[f"{name}.weight"] @ x + self.weights.get(f"{name}.bias", 0.0)

    def attention(self, name, xs, window):
        shape = self.config.attention
        size, group = shape.head_dim, shape.heads // shape.kv_heads
        heads = [self.linear(f"{name}.qkv", x).reshape(-1, size) for x in xs]
        result = []
        for now in range(len(xs)):
            outputs = []
            for head in range(shape.heads):
                query = self.turn(self.small_norm(f"{name}.q_norm", heads[now][head]), now)
                scores, values = [], []
                for then in range(now + 1):
                    if window is not None and now - then >= window:
                        continue
                    key = heads[then][shape.heads + head // group]
                    key = self.turn(self.small_norm(f"{name}.k_norm", key), then)
                    scores.append(query @ key / math.sqrt(size))
                    values.append(heads[then][shape.heads + shape.kv_heads + head // group])
                shares = np.exp(np.array(scores) - max(scores))
                shares /= shares.sum()
                pairs = zip(shares, values, strict=True)
                outputs.append(sum(share * value for share, value in pairs))
            result.append(self.linear(f"{name}.out", np.concatenate(outputs)))
        return result

    def small_norm(self, name, x):
        if not self.config.attention.qk_norm:
            return x
        return x / math.sqrt((x**2).mean() + self.config.norm_eps) * self.weights[f"{name}.weight"]

    def turn(self, x, position):
        half = len(x) // 2
        turned = x.copy()
        for pair in range(half):
            angle = position * self.speed(pair, len(x))
            a, b = x[pair], x[pair + half]
            turned[pair] = a * math.cos(angle) - b * math.sin(angle)
            turned[pair + half] = b * math.cos(angle) + a * math.sin(angle)
        if self.config.rotary.scaling == "yarn":
            turned *= 0.1 * math.log(self.config.rotary.factor) + 1
        return turned

    def speed(self, pair, size):
        rotary = self.config.rotary
        plain = rotary.base ** (-2 * pair / size)
        turns = rotary.original_context * plain / (2 * math.pi)
        if rotary.scaling == "none":
            return plain
        if rotary.scaling == "linear":
            return plain / rotary.factor
        if rotary.scaling == "llama3":
            if turns > rotary.high_frequency:
                return plain
            if turns < rotary.low_frequency:
                return plain / rotary.factor
            share = (turns - rotary.low_frequency) / (rotary.high_frequency - rotary.low_frequency)
            return share * plain + (1 - share) * plain / rotary.factor
        ends = []
        for border in (rotary.beta_fast, rotary.beta_slow):
            # The dimension that turns `border` times in the original context.
            ratio = rotary.original_context / (border * 2 * math.pi)
            ends.append(size * math.log(ratio, rotary.base) / 2)
        low, high = max(math.floor(ends[0]), 0), min(math.ceil(ends[1]), size - 1)
        share = min(max((pair - low) / (high - low), 0.0), 1.0)
        return (1 - share) * plain + share * plain / rotary.factor

    def feed_forward(self, name, x):
        if self.config.experts is None:
            return self.linear(f"{name}.down", self.activate(self.linear(f"{name}.up", x)))
        wishes = np.exp(self.linear(f"{name}.gate", x))
        best = np.argsort(-wishes)[: self.config.experts.active]
        total = np.zeros_like(x)
        for expert in best:
            inner = self.activate(self.weights[f"{name}.up_EFD"][expert] @ x)
            share = wishes[expert] / wishes[best].sum()
            total += share * (self.weights[f"{name}.down_EDF"][expert] @ inner)
        return total

    def activate(self, x):
        kind = self.config.feed_forward.activation
        if kind == "swiglu":
            gate, value = np.split(x, 2)
            return gate / (1 + np.exp(-gate)) * value
        if kind == "gelu":
            return np.array([0.5 * each * (1 + math.erf(each / math.sqrt(2))) for each in x])
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
