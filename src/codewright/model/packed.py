"""Linear layers whose weights stay in eight or four bits; what comes in and goes out does not.

In bfloat16 on a CPU a few rows at a time go through torch's own kernels for such weights
(`_weight_int8pack_mm`, `_weight_int4pack_mm_for_cpu`, those that torchao calls), which read a half
or a quarter of the bytes. Everything else is multiplied out and is then an ordinary product: in
float32 the result is bit for bit that of the multiplied weights.

A four-bit weight takes a byte where the kernel takes it, since its order is another one than that
of multiplying out, and half a byte elsewhere. Nothing is trained here.

Legend: O outputs, I inputs, G groups of inputs; `…` any leading dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codewright.model.packing import pack
from codewright.model.quantize import Quantized, dequantize, grouped

FEW = 32
"""Rows up to which the kernels are used: from 64 on, multiplying out takes as long or less."""
_KERNEL_GROUPS = (256, 128, 64, 32)


class PackedLinear(nn.Module):
    """x Wᵀ + bias with W in few bits."""

    packed: Tensor
    scale_OG: Tensor
    bias: Tensor | None
    kernel: Tensor
    kernel_scale: Tensor

    def __init__(
        self, small: Quantized, bias: Tensor | None, *, bits: int, dtype: torch.dtype
    ) -> None:
        """Takes a weight [O, I] and a bias [O]; `dtype` is that of what comes in."""
        super().__init__()
        self.bits, self._dtype = bits, dtype
        value_OI = small.value
        kept = value_OI if bits == 8 else torch.from_numpy(pack(value_OI.numpy()))
        self.register_buffer("packed", kept)
        self.register_buffer("scale_OG", small.scale.to(dtype))
        self.register_buffer("bias", None if bias is None else bias.to(dtype))
        self._takes = dtype == torch.bfloat16 and self._suits(small)
        if self._takes and bits == 4:
            group = _group(small)
            of_groups = small.scale.repeat_interleave(
                value_OI.shape[1] // group // small.scale.shape[1], 1
            )
            both = torch.stack((of_groups.t(), torch.zeros_like(of_groups.t())), -1)
            whole = (value_OI.int() + 8).contiguous()
            self.register_buffer(
                "kernel", torch.ops.aten._convert_weight_to_int4pack_for_cpu(whole, 1)
            )
            self.register_buffer("kernel_scale", both.to(dtype).contiguous())
            self._group = group

    def forward(self, x_I: Tensor) -> Tensor:
        """Returns […, O]."""
        rows = x_I.numel() // x_I.shape[-1]
        if not self._takes or rows > FEW or x_I.device.type != "cpu":
            return F.linear(x_I, self.weight_OI(), self.bias)
        x_RI = x_I.reshape(rows, -1)
        if self.bits == 8:
            y_RO: Tensor = torch.ops.aten._weight_int8pack_mm(
                x_RI, self.packed, self.scale_OG[:, 0]
            )
        else:
            y_RO = torch.ops.aten._weight_int4pack_mm_for_cpu(
                x_RI, self.kernel, self._group, self.kernel_scale
            )
        y_RO = y_RO if self.bias is None else y_RO + self.bias
        return y_RO.view(*x_I.shape[:-1], -1)

    def weight_OI(self) -> Tensor:
        """Returns the weight multiplied out, in the dtype of what comes in."""
        value = self.packed
        if self.bits == 4:
            value = torch.stack((value & 15, value >> 4), -1).flatten(-2).to(torch.int8) - 8
        if self._dtype == torch.float32:
            return dequantize(value, self.scale_OG)
        parts = grouped(value, self.scale_OG.shape[-1]).to(self._dtype)
        return (parts * self.scale_OG[..., None]).flatten(-2)

    def _suits(self, small: Quantized) -> bool:
        """Tells whether torch's kernel takes such a weight."""
        outputs = small.value.shape[0]
        if self.bits == 8:
            return small.scale.shape[1] == 1 and outputs % 16 == 0
        return outputs % 16 == 0 and _group(small) > 0


def _group(small: Quantized) -> int:
    """Returns the group that the four-bit kernel is told: one it knows, a part of the weight's."""
    own = small.value.shape[1] // small.scale.shape[1]
    return next((group for group in _KERNEL_GROUPS if own % group == 0), 0)
