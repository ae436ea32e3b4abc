"""PyTorch's side of bench/train.ts: the same Llama, written plainly, trained eagerly or compiled layer by layer.

JSON lines in, JSON lines out. What is fast in PyTorch is used: scaled_dot_product_attention, fused AdamW, cross_entropy.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class Linear(nn.Module):
    """A linear layer, with a low-rank update when `rank` is not 0 and the weight is frozen."""

    def __init__(self, inner, out, rank, scale):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, inner) * 0.02, requires_grad=rank == 0)
        self.scale = scale
        self.a = nn.Parameter(torch.randn(rank, inner) * 0.02) if rank else None
        self.b = nn.Parameter(torch.zeros(out, rank)) if rank else None

    def forward(self, x):
        y = F.linear(x, self.weight)
        return y if self.a is None else y + self.scale * F.linear(F.linear(x, self.a), self.b)


class RmsNorm(nn.Module):
    def __init__(self, size, eps, frozen):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size), requires_grad=not frozen)
        self.eps = eps

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1)


class Layer(nn.Module):
    def __init__(self, c, rank, scale):
        super().__init__()
        hidden, inner = c["hidden_size"], c["intermediate_size"]
        self.heads, self.kv = c["num_attention_heads"], c["num_key_value_heads"]
        self.size = hidden // self.heads
        make = lambda i, o: Linear(i, o, rank, scale)
        self.q, self.o = make(hidden, hidden), make(hidden, hidden)
        self.k, self.v = make(hidden, self.kv * self.size), make(hidden, self.kv * self.size)
        self.gate, self.up, self.down = make(hidden, inner), make(hidden, inner), make(inner, hidden)
        self.norm1, self.norm2 = (RmsNorm(hidden, c["rms_norm_eps"], rank > 0) for _ in range(2))

    def forward(self, x, cos, sin):
        b, t, h = x.shape
        split = lambda y, n: y.view(b, t, n, self.size).transpose(1, 2)
        n = self.norm1(x)
        q, k, v = split(self.q(n), self.heads), split(self.k(n), self.kv), split(self.v(n), self.kv)
        mixed = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True, enable_gqa=True)
        x = x + self.o(mixed.transpose(1, 2).reshape(b, t, h))
        n = self.norm2(x)
        return x + self.down(F.silu(self.gate(n)) * self.up(n))


class Llama(nn.Module):
    def __init__(self, c, rank, scale):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(c["vocab_size"], c["hidden_size"]) * 0.02, requires_grad=rank == 0)
        self.layers = nn.ModuleList(Layer(c, rank, scale) for _ in range(c["num_hidden_layers"]))
        self.norm = RmsNorm(c["hidden_size"], c["rms_norm_eps"], rank > 0)
        size = c["hidden_size"] // c["num_attention_heads"]
        angles = torch.outer(torch.arange(c["max_position_embeddings"]).float(),
                             c["rope_theta"] ** (-torch.arange(0, size, 2).float() / size))
        self.cos, self.sin = angles.cos(), angles.sin()

    def forward(self, ids):
        x = F.embedding(ids, self.embedding)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, cos, sin)
        return F.linear(self.norm(x), self.embedding)


class Run:
    def __init__(self, call):
        torch.set_num_threads(call["threads"])
        torch.manual_seed(1)
        one, c = call["setup"], call["config"]
        rank = call["rank"] if one["form"] == "lora" else 0
        self.model = Llama(c, rank, call["alpha"] / call["rank"])
        if call["compiled"]:
            for layer in self.model.layers:
                layer.compile()
        self.parameters = [value for value in self.model.parameters() if value.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-4, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        self.ids = torch.randint(0, c["vocab_size"], (one["rows"], one["length"]))

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.model(self.ids)[:, :-1]
        F.cross_entropy(logits.reshape(-1, logits.shape[-1]), self.ids[:, 1:].reshape(-1)).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()

    @torch.no_grad()
    def generate(self, prompts, tokens):
        """One answer after another, every token from a pass over everything so far, as a tutorial would."""
        for prompt in range(prompts):
            ids = self.ids[prompt % len(self.ids)][None]
            for _ in range(tokens):
                probabilities = torch.softmax(self.model(ids)[:, -1], -1)
                ids = torch.cat((ids, torch.multinomial(probabilities, 1)), 1)


run = None
for line in sys.stdin:
    call = json.loads(line)
    started, processor = time.perf_counter(), time.process_time()
    if "setup" in call:
        run = Run(call)
    elif "generate" in call:
        run.generate(call["generate"], call["tokens"])
    else:
        for _ in range(call["steps"]):
            run.step()
    # ru_maxrss is in kilobytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took = {"ms": (time.perf_counter() - started) * 1000, "processorMs": (time.process_time() - processor) * 1000}
    print(json.dumps({**took, "peakMb": peak}), flush=True)
