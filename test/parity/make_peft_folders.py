"""Makes fixtures/peft: a tiny model and adapters as PEFT saves them, with what transformers answers under each.

    python make_peft_folders.py      (torch, transformers, peft)
"""

import json
import os
import shutil

import torch
from peft import LoraConfig, PromptTuningConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "peft")
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]
TOKENS = 12
ADAPTERS = {
    "lora": LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False),
    "rslora": LoraConfig(r=4, lora_alpha=8, use_rslora=True, target_modules=["k_proj", "gate_proj"], init_lora_weights=False),
    "prompt-tuning": PromptTuningConfig(num_virtual_tokens=5),
}


def answer(model):
    """Greedy tokens and their log-probabilities."""
    ids, tokens, log_probs = torch.tensor([PROMPT]), [], []
    with torch.no_grad():
        for _ in range(TOKENS):
            scores = torch.log_softmax(model(input_ids=ids).logits[0, -1].float(), -1)
            token = int(scores.argmax())
            tokens.append(token)
            log_probs.append(float(scores[token]))
            ids = torch.cat([ids, torch.tensor([[token]])], 1)
    return {"tokens": tokens, "logProbs": log_probs}


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    base = os.path.join(OUT, "model")
    LlamaForCausalLM(config).save_pretrained(base)
    os.remove(os.path.join(base, "generation_config.json"))
    answers = {}
    for name, adapter in ADAPTERS.items():
        adapter.task_type = "CAUSAL_LM"
        model = get_peft_model(LlamaForCausalLM.from_pretrained(base), adapter).eval()
        adapter.base_model_name_or_path = "tiny"
        model.save_pretrained(os.path.join(OUT, name))
        os.remove(os.path.join(OUT, name, "README.md"))
        answers[name] = answer(model)
    with open(os.path.join(OUT, "answers.json"), "w", encoding="utf-8") as file:
        json.dump({"prompt": PROMPT, "answers": answers}, file, indent=1)


main()
