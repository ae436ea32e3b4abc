"""Writes fixtures/*.safetensors: what Hugging Face transformers, PEFT, TRL and PyTorch say about tiny random models.

    python3 -m venv /some/venv
    /some/venv/bin/pip install torch==2.6.0 transformers==4.49.0 peft==0.14.0 trl==0.15.2 rich safetensors
    /some/venv/bin/python test/parity/make_fixtures.py

Everything is computed in float64 and rounded to float32 at the end, so the reference has no error of its own.
Names inside a file: `weights.*`, `gradients.*` (of the mean loss with respect to the weights), `lora.*` and
`lora_gradients.*` (PEFT names), likewise `bottleneck.*` and `prompt.*`, `logits`, `ids`, `labels`,
`weights_per_token`, `lengths`; the metadata holds config, losses and the adapter's scale as JSON.
"""

import json
import pathlib
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from peft import LoraConfig, PromptTuningConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM
from trl import DPOTrainer, GRPOTrainer, KTOTrainer, RewardTrainer

HERE = pathlib.Path(__file__).parent / "fixtures"
BASE = dict(vocab_size=29, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, max_position_embeddings=64, rms_norm_eps=1e-5, rope_theta=10000.0,
            attention_bias=False, tie_word_embeddings=True, attn_implementation="eager")
LLAMA3 = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
VARIANTS = {
    "grouped-tied": {},
    "untied-bias": dict(num_key_value_heads=4, head_dim=4, tie_word_embeddings=False, attention_bias=True),
    "rope-llama3": dict(tie_word_embeddings=False, rope_theta=100.0, rope_scaling=LLAMA3),
    "rope-linear": dict(rope_scaling=dict(rope_type="linear", factor=2.5)),
}
ROWS, LENGTH, RANK, SCALE = 3, 12, 3, 1.5
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def make_model(name, overrides, seed):
    torch.manual_seed(seed)
    config = LlamaConfig(**{**BASE, **overrides})
    model = LlamaForCausalLM(config).double().eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            value.copy_(torch.randn_like(value) * 0.3 + (1.0 if key.endswith("norm.weight") else 0.0))
            value.copy_(value.float().double())
    return config, model


def make_batch(vocab):
    ids = torch.randint(0, vocab, (ROWS, LENGTH))
    lengths = torch.tensor([LENGTH, LENGTH - 3, LENGTH - 5])
    inside = torch.arange(LENGTH)[None] < lengths[:, None]
    ids = torch.where(inside, ids, 0)
    labels = torch.where(inside.roll(-1, 1) & (torch.arange(LENGTH) < LENGTH - 1), ids.roll(-1, 1), 0)
    weights = torch.rand(ROWS, LENGTH).round(decimals=2) * (torch.arange(LENGTH)[None] >= 3)
    weights = torch.where(torch.arange(LENGTH)[None] < lengths[:, None] - 1, weights, torch.zeros_like(weights))
    return ids, labels, weights.double(), lengths, inside


def mean_loss(logits, labels, weights):
    log_probs = torch.log_softmax(logits, -1).gather(-1, labels[..., None])[..., 0]
    return -(log_probs * weights).sum() / weights.sum()


def lora_parameters(model):
    made = {}
    for key, value in model.named_parameters():
        module = key.removesuffix(".weight")
        if key.endswith(".weight") and module.split(".")[-1] in TARGETS:
            out, inner = value.shape
            for letter, shape in (("A", (RANK, inner)), ("B", (out, RANK))):
                tensor = (torch.randn(shape, dtype=torch.double) * 0.2).float().double()
                made[f"base_model.model.{module}.lora_{letter}.weight"] = tensor.requires_grad_()
    return made


def with_lora(model, lora):
    weights = dict(model.named_parameters())
    merged = {}
    for key, value in weights.items():
        name = f"base_model.model.{key.removesuffix('.weight')}.lora_"
        merged[key] = value.detach()
        if f"{name}A.weight" in lora:
            merged[key] = merged[key] + SCALE * lora[f"{name}B.weight"] @ lora[f"{name}A.weight"]
    return merged


def write_model_fixture(name, overrides, seed):
    config, model = make_model(name, overrides, seed)
    ids, labels, weights, lengths, inside = make_batch(config.vocab_size)
    mask = inside.long()
    logits = model(ids, attention_mask=mask).logits
    loss = mean_loss(logits, labels, weights)
    parameters = dict(model.named_parameters())
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    lora = lora_parameters(model)
    adapted = torch.func.functional_call(model, with_lora(model, lora), (ids,), {"attention_mask": mask}).logits
    lora_loss = mean_loss(adapted, labels, weights)
    lora_gradients = torch.autograd.grad(lora_loss, list(lora.values()))
    tensors = {"logits": logits * inside[..., None], "weights_per_token": weights}
    tensors |= {f"weights.{key}": value for key, value in parameters.items()}
    tensors |= {f"gradients.{key}": value for key, value in zip(parameters, gradients)}
    tensors |= {f"lora.{key}": value for key, value in lora.items()}
    tensors |= {f"lora_gradients.{key}": value for key, value in zip(lora, lora_gradients)}
    integers = {"ids": ids, "labels": labels, "lengths": lengths}
    facts = {"config": {**json.loads(config.to_json_string(use_diff=False)), "architectures": ["LlamaForCausalLM"]},
             "loss": loss.item(), "lora_loss": lora_loss.item(), "scale": SCALE, "rank": RANK}
    save(f"llama-{name}", tensors, integers, facts)


def randomise(parameters, scale):
    with torch.no_grad():
        for value in parameters:
            value.copy_((torch.randn_like(value) * scale).float().double())


def loss_and_gradients(logits, labels, weights, parameters):
    loss = mean_loss(logits, labels, weights)
    return loss.item(), torch.autograd.grad(loss, parameters)


def lora_by_peft(make, batch):
    """LoRA as PEFT applies it; its own names, less the adapter's."""
    model = get_peft_model(make(), LoraConfig(r=RANK, lora_alpha=RANK * SCALE, target_modules=TARGETS, lora_dropout=0.0))
    named = {key: value for key, value in model.named_parameters() if value.requires_grad}
    randomise(named.values(), 0.2)
    loss, gradients = loss_and_gradients(model(batch.ids, attention_mask=batch.mask).logits, batch.labels, batch.weights,
                                         list(named.values()))
    names = [key.replace(".default", "") for key in named]
    return loss, dict(zip(names, named.values())), dict(zip(names, gradients))


def prompt_by_peft(make, batch, tokens):
    """Prompt tuning as PEFT applies it: the logits of the virtual tokens are left out."""
    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=tokens)
    model = get_peft_model(make(), config).double()
    prompt = model.prompt_encoder["default"].embedding.weight
    randomise([prompt], 0.3)
    logits = model(batch.ids, attention_mask=batch.mask).logits[:, tokens:]
    loss, (gradient,) = loss_and_gradients(logits, batch.labels, batch.weights, [prompt])
    return loss, {"prompt_embeddings": prompt}, {"prompt_embeddings": gradient}


def bottlenecks_by_hooks(make, batch, size):
    """Adapter layers after every attention and MLP block: y + up(SiLU(down(y)))."""
    model, made = make(), {}

    def adapt(block, down, up):
        block.register_forward_hook(lambda _module, _inputs, y: y + F.silu(y @ down.T) @ up.T)

    for layer, decoder in enumerate(model.model.layers):
        for name, last in (("self_attn", decoder.self_attn.o_proj), ("mlp", decoder.mlp.down_proj)):
            down = torch.empty(size, model.config.hidden_size, dtype=torch.double, requires_grad=True)
            up = torch.empty(model.config.hidden_size, size, dtype=torch.double, requires_grad=True)
            randomise([down, up], 0.3)
            adapt(last, down, up)
            prefix = f"base_model.model.model.layers.{layer}.{name}.adapter_"
            made |= {f"{prefix}down.weight": down, f"{prefix}up.weight": up}
    loss, gradients = loss_and_gradients(model(batch.ids, attention_mask=batch.mask).logits, batch.labels, batch.weights,
                                         list(made.values()))
    return loss, made, dict(zip(made, gradients))


def write_forms_fixture():
    """One model in every form of tuning: LoRA and prompt tuning by PEFT, adapter layers by hooks."""
    config, model = make_model("forms", {}, seed=21)
    ids, labels, weights, lengths, inside = make_batch(config.vocab_size)
    batch = SimpleNamespace(ids=ids, labels=labels, weights=weights, mask=inside.long())
    state = {key: value.clone() for key, value in model.state_dict().items()}

    def make():
        fresh = LlamaForCausalLM(config).double().eval()
        fresh.load_state_dict(state)
        return fresh.requires_grad_(False)

    found = {"lora": lora_by_peft(make, batch), "prompt": prompt_by_peft(make, batch, 5),
             "bottleneck": bottlenecks_by_hooks(make, batch, 4)}
    tensors = {f"weights.{key}": value for key, value in model.named_parameters()} | {"weights_per_token": weights}
    for form, (_, values, gradients) in found.items():
        tensors |= {f"{form}.{key}": value for key, value in values.items()}
        tensors |= {f"{form}_gradients.{key}": value for key, value in gradients.items()}
    facts = {"config": {**json.loads(config.to_json_string(use_diff=False)), "architectures": ["LlamaForCausalLM"]},
             "losses": {form: loss for form, (loss, _, _) in found.items()}, "scale": SCALE}
    save("forms", tensors, {"ids": ids, "labels": labels, "lengths": lengths}, facts)


def trl(**settings):
    """Stands in for a TRL trainer, whose loss is called without building one."""
    same = SimpleNamespace(device="cpu", gather_for_metrics=lambda x: x)
    return SimpleNamespace(accelerator=same, reference_free=False, f_divergence_type="reverse_kl",
                           f_divergence_params={}, use_weighting=False, **settings)


def write_trl_fixture():
    """Sums of TRL's own losses over random log-probs and scores, and their gradients."""
    torch.manual_seed(31)
    n, tensors, facts = 12, {}, {}
    leaf = lambda *shape, scale=1.0, shift=0.0: (torch.randn(*shape).double() * scale + shift).float().double()

    def record(name, loss, leaves, **inputs):
        facts[name] = loss.item()
        for key, value in {**leaves, **inputs}.items():
            tensors[f"{name}.{key}"] = value
        for key, value in zip(leaves, torch.autograd.grad(loss, list(leaves.values()))):
            tensors[f"{name}.gradient.{key}"] = value

    for name, settings in {"dpo": dict(loss_type="sigmoid", beta=0.1, label_smoothing=0.0),
                           "cdpo": dict(loss_type="sigmoid", beta=0.1, label_smoothing=0.15),
                           "ipo": dict(loss_type="ipo", beta=0.2, label_smoothing=0.0)}.items():
        gaps, reference = leaf(n, scale=3.0).requires_grad_(), leaf(n, scale=3.0)
        zero = torch.zeros(n, dtype=torch.double)
        losses, _, _ = DPOTrainer.dpo_loss(trl(**settings), gaps, zero, reference, zero)
        record(name, losses.sum(), {"gaps": gaps}, reference_gaps=reference)

    log_probs, reference = leaf(n, scale=4.0, shift=-20.0).requires_grad_(), leaf(n, scale=4.0, shift=-20.0)
    other, other_reference = leaf(n, scale=4.0, shift=-18.0), leaf(n, scale=4.0, shift=-20.0)
    desirable = (torch.arange(n) % 3 != 1)
    settings = trl(calculate_KL=True, loss_type="kto", beta=0.1, desirable_weight=1.0, undesirable_weight=1.5)
    losses, _, _, kl = KTOTrainer.kto_loss(settings, log_probs[desirable], log_probs[~desirable], other,
                                           reference[desirable], reference[~desirable], other_reference)
    record("kto", losses.sum(), {"log_probs": log_probs}, reference_log_probs=reference, other=other,
           other_reference=other_reference, desirable=desirable.double(), reference_point=kl.reshape(1))

    chosen, rejected, margins = leaf(n).requires_grad_(), leaf(n).requires_grad_(), leaf(n).abs()
    scores = iter((chosen, rejected))
    inputs = {"input_ids_chosen": 0, "attention_mask_chosen": 0, "input_ids_rejected": 0,
              "attention_mask_rejected": 0, "margin": margins}
    settings = SimpleNamespace(args=SimpleNamespace(center_rewards_coefficient=0.01))
    loss = RewardTrainer.compute_loss(settings, lambda **_: {"logits": next(scores)}, inputs)
    record("reward", loss * n, {"chosen": chosen, "rejected": rejected}, margins=margins)

    rows, length = 4, 6
    log_probs, reference = leaf(rows, length, shift=-2.0).requires_grad_(), leaf(rows, length, shift=-2.0)
    lengths = torch.tensor([6, 3, 5, 1])
    mask = (torch.arange(length)[None] < lengths[:, None]).long()
    advantages = leaf(rows)
    settings = trl(beta=0.04, _metrics={"completion_length": [], "kl": []},
                   _get_per_token_logps=lambda *_: log_probs)
    ids = torch.zeros(rows, length, dtype=torch.long)
    inputs = {"prompt_ids": ids, "prompt_mask": mask, "completion_ids": ids, "completion_mask": mask,
              "ref_per_token_logps": reference, "advantages": advantages}
    record("grpo", GRPOTrainer.compute_loss(settings, None, inputs) * rows, {"log_probs": log_probs},
           reference_log_probs=reference, advantages=advantages, mask=mask.double())
    save("trl", tensors, {}, facts)


def write_objective_fixture():
    """Losses and gradients of the objectives over random log-probs, values and scores; one number per token or pair."""
    torch.manual_seed(5)
    n = 24
    leaf = lambda scale=1.0, shift=0.0: (torch.randn(n, dtype=torch.double) * scale + shift).float().double()
    weights = torch.rand(n).round(decimals=2).double()
    tensors, facts = {"weights": weights}, {}

    def record(name, loss, leaves, **inputs):
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        facts[name] = loss.item()
        for key, value in {**leaves, **inputs}.items():
            tensors[f"{name}.{key}"] = value
        for key, value in zip(leaves, gradients):
            tensors[f"{name}.gradient.{key}"] = value

    chosen, rejected = leaf().requires_grad_(), leaf().requires_grad_()
    margins = torch.rand(n).double().float().double()
    record("reward", -(F.logsigmoid(chosen - rejected - margins) * weights).sum(),
           {"chosen": chosen, "rejected": rejected}, margins=margins)

    old, advantages = leaf(0.5, -2.0), leaf()
    log_probs = (old + leaf(0.3)).detach().float().double().requires_grad_()
    ratio = (log_probs - old).exp()
    surrogate = torch.min(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    record("policy", -(surrogate * weights).sum(), {"log_probs": log_probs}, old_log_probs=old, advantages=advantages)

    old_values, returns = leaf(), leaf()
    values = (old_values + leaf(0.4)).detach().float().double().requires_grad_()
    near = old_values + (values - old_values).clamp(-0.2, 0.2)
    errors = torch.max((values - returns) ** 2, (near - returns) ** 2)
    record("value", 0.5 * (errors * weights).sum(), {"values": values}, old_values=old_values, returns=returns)

    gaps, reference_gaps = leaf(3.0).requires_grad_(), leaf(3.0)
    record("dpo", -F.logsigmoid(0.1 * (gaps - reference_gaps)).sum(), {"gaps": gaps}, reference_gaps=reference_gaps)

    rewards, critic = leaf(), leaf()
    advantages, following = torch.zeros(n, dtype=torch.double), 0.0
    for t in reversed(range(n)):
        delta = rewards[t] + 0.97 * (critic[t + 1] if t + 1 < n else 0.0) - critic[t]
        following = delta + 0.97 * 0.9 * following
        advantages[t] = following
    tensors |= {"gae.rewards": rewards, "gae.values": critic, "gae.advantages": advantages,
                "gae.returns": advantages + critic,
                "gae.whitened": (advantages - advantages.mean()) / (advantages.std() + 1e-8)}
    save("objectives", tensors, {}, facts)


def write_optimizer_fixture():
    """Five AdamW steps with clipping on a matrix and a vector (decay on the matrix only)."""
    torch.manual_seed(6)
    matrix, vector = (torch.randn(shape).double().requires_grad_() for shape in ((4, 5), (7,)))
    tensors = {"matrix.0": matrix.detach().clone(), "vector.0": vector.detach().clone()}
    options = dict(lr=0.02, betas=(0.9, 0.95), eps=1e-8)
    optimizer = torch.optim.AdamW([{"params": [matrix], "weight_decay": 0.1}, {"params": [vector], "weight_decay": 0.0}],
                                  **options)
    norms = []
    for step in range(1, 6):
        matrix.grad, vector.grad = (torch.randn_like(value).float().double() for value in (matrix, vector))
        tensors |= {f"matrix.gradient.{step}": matrix.grad.clone(), f"vector.gradient.{step}": vector.grad.clone()}
        norms.append(torch.nn.utils.clip_grad_norm_([matrix, vector], 3.0).item())
        optimizer.step()
        tensors |= {f"matrix.{step}": matrix.detach().clone(), f"vector.{step}": vector.detach().clone()}
    save("adamw", tensors, {}, {"norms": norms, "clip": 3.0, "learningRate": 0.02, "weightDecay": 0.1})


def write_trajectory_fixture():
    """Fifty AdamW steps of a tiny model over four batches in turn: loss and gradient norm before each step."""
    config, model = make_model("trajectory", {}, seed=9)
    with torch.no_grad():
        for key, value in model.named_parameters():
            if not key.endswith("norm.weight"):
                value.mul_(0.2)
                value.copy_(value.float().double())
    tensors = {f"weights.{key}": value.detach().clone() for key, value in model.named_parameters()}
    batches = [torch.randint(0, config.vocab_size, (4, LENGTH)) for _ in range(4)]
    matrices = [value for value in model.parameters() if value.dim() > 1]
    vectors = [value for value in model.parameters() if value.dim() == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=3e-3, betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for step in range(50):
        ids = batches[step % 4]
        weights = torch.ones_like(ids, dtype=torch.double)
        weights[:, -1] = 0.0
        loss = mean_loss(model(ids).logits, ids.roll(-1, 1), weights)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()
    facts = {"config": {**json.loads(config.to_json_string(use_diff=False)), "architectures": ["LlamaForCausalLM"]},
             "losses": losses, "norms": norms, "learningRate": 3e-3, "clip": 1.0}
    save("trajectory", tensors, {f"batch.{i}": ids for i, ids in enumerate(batches)}, facts)


def write_lora_trajectory_fixture():
    """Fifty AdamW steps of PEFT's LoRA over four batches in turn, from A random and B zero."""
    config, model = make_model("lora-trajectory", {}, seed=12)
    tensors = {f"weights.{key}": value.detach().clone() for key, value in model.named_parameters()}
    batches = [torch.randint(0, config.vocab_size, (4, LENGTH)) for _ in range(4)]
    tuned = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=RANK * SCALE, target_modules=TARGETS, lora_dropout=0.0))
    trainable = {key: value for key, value in tuned.named_parameters() if value.requires_grad}
    randomise([value for key, value in trainable.items() if "lora_A" in key], 0.2)
    tensors |= {f"lora.{key.replace('.default', '')}": value.detach().clone() for key, value in trainable.items()}
    optimizer = torch.optim.AdamW(trainable.values(), lr=3e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    losses, norms = [], []
    for step in range(50):
        ids = batches[step % 4]
        weights = torch.ones_like(ids, dtype=torch.double)
        weights[:, -1] = 0.0
        loss = mean_loss(tuned(ids).logits, ids.roll(-1, 1), weights)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(trainable.values(), 1.0).item())
        optimizer.step()
    facts = {"config": {**json.loads(config.to_json_string(use_diff=False)), "architectures": ["LlamaForCausalLM"]},
             "losses": losses, "norms": norms, "learningRate": 3e-3, "scale": SCALE}
    save("trajectory-lora", tensors, {f"batch.{i}": ids for i, ids in enumerate(batches)}, facts)


def save(name, tensors, integers, facts):
    HERE.mkdir(exist_ok=True)
    data = {key: value.detach().float().contiguous() for key, value in tensors.items()}
    data |= {key: value.long().contiguous() for key, value in integers.items()}
    save_file(data, HERE / f"{name}.safetensors", metadata={"facts": json.dumps(facts)})


if __name__ == "__main__":
    for position, (name, overrides) in enumerate(VARIANTS.items()):
        write_model_fixture(name, overrides, seed=position + 1)
    write_forms_fixture()
    write_trl_fixture()
    write_objective_fixture()
    write_optimizer_fixture()
    write_trajectory_fixture()
    write_lora_trajectory_fixture()
