"""PyTorch's side of the Transformers in frontend-families.cpp: modules with the names of the zoo's variables."""
import math

import torch
from families_data import real
from torch import nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.qkv, self.out, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads

    def forward(self, x, **options):
        return self.out(attend(self.qkv(x).chunk(3, 2), self.heads, **options))


class CrossAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.out, self.heads = nn.Linear(width, width), heads

    def forward(self, x, memory, **options):
        return self.out(attend((self.q(x), *self.kv(memory).chunk(2, 2)), self.heads, **options))


def attend(parts, heads, **options):
    q, k, v = (part.unflatten(2, (heads, -1)).transpose(1, 2) for part in parts)
    return F.scaled_dot_product_attention(q, k, v, **options).transpose(1, 2).flatten(2)


def feed_forward(width, inner, activation):
    return nn.Sequential(nn.Linear(width, inner), activation, nn.Linear(inner, width))


class GptLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.n1, self.n2, self.attn = nn.LayerNorm(width), nn.LayerNorm(width), SelfAttention(width, heads)
        self.ffn = feed_forward(width, 4 * width, nn.GELU("tanh"))

    def forward(self, x):
        x = x + self.attn(self.n1(x), is_causal=True)
        return x + self.ffn(self.n2(x))


class Gpt(nn.Module):
    def __init__(self, words, width, heads, layers, length):
        super().__init__()
        self.tok, self.pos, self.norm = nn.Embedding(words, width), nn.Embedding(length, width), nn.LayerNorm(width)
        self.layers = nn.ModuleList(GptLayer(width, heads) for _ in range(layers))

    def forward(self, ids):
        x = self.tok(ids) + self.pos.weight[:ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x) @ self.tok.weight.T


class EncoderLayer(nn.Module):
    def __init__(self, width, heads, inner, activation, epsilon=1e-5):
        super().__init__()
        self.attn, self.ffn = SelfAttention(width, heads), feed_forward(width, inner, activation)
        self.n1, self.n2 = nn.LayerNorm(width, epsilon), nn.LayerNorm(width, epsilon)

    def forward(self, x, seen):
        x = self.n1(x + self.attn(x, attn_mask=seen))
        return self.n2(x + self.ffn(x))


class DecoderLayer(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.attn, self.cross = SelfAttention(width, heads), CrossAttention(width, heads)
        self.ffn = feed_forward(width, inner, nn.ReLU())
        self.n1, self.n2, self.n3 = (nn.LayerNorm(width) for _ in range(3))

    def forward(self, x, memory, seen):
        x = self.n1(x + self.attn(x, is_causal=True))
        x = self.n2(x + self.cross(x, memory, attn_mask=seen))
        return self.n3(x + self.ffn(x))


class Transformer(nn.Module):
    def __init__(self, words, width, heads, layers, inner, length):
        super().__init__()
        self.tok, self.width = nn.Embedding(words, width), width
        angle = torch.arange(length, dtype=torch.float64)[:, None] * torch.exp(
            -math.log(10000.0) * torch.arange(0, width, 2, dtype=torch.float64) / width)
        self.pos = real(torch.stack([angle.sin(), angle.cos()], 2).flatten(1))
        self.enc = nn.ModuleList(EncoderLayer(width, heads, inner, nn.ReLU()) for _ in range(layers))
        self.dec = nn.ModuleList(DecoderLayer(width, heads, inner) for _ in range(layers))

    def embed(self, ids):
        return self.tok(ids) * math.sqrt(self.width) + self.pos

    def forward(self, source, target):
        seen = (source != 0)[:, None, None]
        memory, x = self.embed(source), self.embed(target)
        for layer in self.enc:
            memory = layer(memory, seen)
        for layer in self.dec:
            x = layer(x, memory, seen)
        return x.flatten(0, 1) @ self.tok.weight.T


class Encoder(nn.Module):
    """BERT's."""

    def __init__(self, words, width, heads, layers, length):
        super().__init__()
        self.tok, self.pos, self.seg = nn.Embedding(words, width), nn.Embedding(length, width), nn.Embedding(2, width)
        self.norm, self.pool = nn.LayerNorm(width, 1e-12), nn.Linear(width, width)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, 4 * width, nn.GELU(), 1e-12) for _ in range(layers))

    def forward(self, ids, segments):
        x = self.norm(self.tok(ids) + self.pos.weight[:ids.shape[1]] + self.seg(segments))
        for layer in self.layers:
            x = layer(x, (ids != 0)[:, None, None])
        return x, torch.tanh(self.pool(x[:, 0]))


class Bert(nn.Module):
    def __init__(self, words, width, heads, layers, length):
        super().__init__()
        self.bert, self.transform = Encoder(words, width, heads, layers, length), nn.Linear(width, width)
        self.norm, self.next = nn.LayerNorm(width, 1e-12), nn.Linear(width, 2)
        self.bias = nn.Parameter(torch.zeros(words))

    def forward(self, ids, segments):
        hidden, pooled = self.bert(ids, segments)
        x = self.norm(F.gelu(self.transform(hidden.flatten(0, 1))))
        return x @ self.bert.tok.weight.T + self.bias, self.next(pooled)
