"""What PyTorch computes for the cases of frontend-attention.cpp: prints frontend-attention.inc.

python3 frontend-attention.py > frontend-attention.inc     (needs torch, on the CPU)
"""
import importlib.util
import os

import torch
from torch.nn import functional as F

spec = importlib.util.spec_from_file_location("oracle", os.path.join(os.path.dirname(__file__), "frontend-oracle.py"))
oracle = importlib.util.module_from_spec(spec)
spec.loader.exec_module(oracle)


def activations():
    functions = {"Gelu": F.gelu, "GeluOfTanh": lambda x: F.gelu(x, approximate="tanh"), "Silu": F.silu,
                 "Softplus": F.softplus, "Elu": lambda x: F.elu(x, alpha=0.7)}
    for name, function in functions.items():
        x, = oracle.inputs(oracle.signed(3, (2, 21), 3.0).double())  # in f64: tails are differences
        oracle.show_with_gradients(f"k{name}", function(x), [x])


def attention():
    """Heads before positions."""
    for name, queries, options in (("Attention", 3, {}), ("AttentionCausal", 5, {"is_causal": True}),
                                   ("AttentionScaled", 3, {"scale": 0.3}),
                                   ("AttentionSeen", 3, {"attn_mask": oracle.signed(8, (3, 5)) > -0.5})):
        q, k, v = oracle.inputs(oracle.signed(3, (2, 2, queries, 4)), oracle.signed(4, (2, 2, 5, 4)),
                                oracle.signed(5, (2, 2, 5, 6)))
        oracle.show_with_gradients(f"k{name}", F.scaled_dot_product_attention(q, k, v, **options), [q, k, v])
    q, k, v, mask = oracle.inputs(oracle.signed(3, (2, 2, 3, 4)), oracle.signed(4, (2, 2, 5, 4)),
                                  oracle.signed(5, (2, 2, 5, 6)), oracle.signed(8, (2, 1, 3, 5)))
    oracle.show_with_gradients("kAttentionMasked", F.scaled_dot_product_attention(q, k, v, attn_mask=mask), [q, k, v, mask])


def layers():
    """SelfAttention(6 wide, 2 heads), CrossAttention: PyTorch's functions on the layers' variables."""
    def arrays(*shapes):  # in f64: a gradient with respect to keys' biases is 0
        return oracle.inputs(*(oracle.signed(number, shape, 0.3).double() for number, shape in enumerate(shapes, 10)))

    def heads(x):
        return x.reshape(2, -1, 2, 3).transpose(1, 2)

    def merged(x):
        return x.transpose(1, 2).reshape(2, -1, 6)
    x, qkv, qkv_bias, out, out_bias = arrays((2, 4, 6), (18, 6), (18,), (6, 6), (6,))
    q, k, v = (heads(part) for part in F.linear(x, qkv, qkv_bias).chunk(3, -1))
    y = F.linear(merged(F.scaled_dot_product_attention(q, k, v, is_causal=True)), out, out_bias)
    oracle.show_with_gradients("kSelfAttention", y, [x, qkv, qkv_bias, out, out_bias])
    x, q, q_bias, kv, kv_bias, out, out_bias = arrays((2, 4, 6), (6, 6), (6,), (12, 6), (12,), (6, 6), (6,))
    k, v = (heads(part) for part in F.linear(x * x, kv, kv_bias).chunk(2, -1))
    y = F.linear(merged(F.scaled_dot_product_attention(heads(F.linear(x, q, q_bias)), k, v)), out, out_bias)
    oracle.show_with_gradients("kCrossAttention", y, [x, q, q_bias, kv, kv_bias, out, out_bias])


def rotary():
    """Positions 0, 2, 7 of [batch, positions, heads, width]: rotate_half of the usual PyTorch definitions."""
    x, = oracle.inputs(oracle.signed(3, (2, 3, 2, 6)))
    positions = torch.tensor([0.0, 2.0, 7.0], dtype=torch.float64)
    frequencies = 1.0 / 100.0 ** (torch.arange(0, 6, 2, dtype=torch.float64) / 6)
    angles = torch.cat([torch.outer(positions, frequencies)] * 2, -1)[:, None, :]
    a, b = x.chunk(2, -1)
    oracle.show_with_gradients("kRotary", x * angles.cos() + torch.cat([-b, a], -1) * angles.sin(), [x])


def indexing():
    table, = oracle.inputs(oracle.signed(3, (5, 3)))
    labels = torch.tensor([[4, 0, 1], [0, 3, 0]])
    oracle.show_with_gradients("kEmbedding", F.embedding(labels, table), [table])
    x, = oracle.inputs(oracle.signed(3, (2, 3, 5), 4.0))
    loss = F.cross_entropy(x.reshape(6, 5), labels.reshape(6), reduction="none").reshape(2, 3)
    oracle.show_with_gradients("kCrossEntropy", loss, [x])


if __name__ == "__main__":
    print("// Written by frontend-attention.py with PyTorch", torch.__version__.split("+")[0])
    activations()
    attention()
    layers()
    rotary()
    indexing()
