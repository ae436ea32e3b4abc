import type { Measurement } from './measure.js';
import type { PretrainRecipe } from './recipe.js';

interface CardFacts {
  readonly recipe: PretrainRecipe;
  readonly stepsDone: number;
  readonly tokens: number;
  readonly parameters: number;
  readonly scores: Measurement;
}

/** The model card (Mitchell et al. 2019, https://arxiv.org/abs/1810.03993) of the bundled model. */
export function modelCard({ recipe, stepsDone, tokens, parameters, scores }: CardFacts): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const rows = scores.families.map(
    ({ family, split, exactMatch }) =>
      `| ${family} | ${split === 'train' ? 'trained' : 'held out'} | ${percent(exactMatch)} |`,
  );
  return `---
license: apache-2.0
language: en
pipeline_tag: text-generation
---

# attune-mini

A Llama-architecture model of ${(parameters / 1e6).toFixed(2)} M parameters that Attune trains from scratch, so that everything works without
a download. It follows a few dozen kinds of short instructions in simple English. It knows next to nothing of the world
and is not a substitute for a real model: set \`MODEL\` to one.

- **Training data**: the instruction generator in \`libs/tasks\`; no text of people, no other data.
- **Training**: \`npm run pretrain\`, seed ${recipe.seed}, ${stepsDone} steps, ${(tokens / 1e6).toFixed(1)} M tokens, Muon and AdamW at ${recipe.learningRate}, loss on answers only.
- **Files**: weights as float16, tokenizer (BPE, ${recipe.vocabSize} tokens) trained on the same data; \`manifest.json\` has the whole recipe.
- **Limits**: short English prompts like those of the generator. Anything else gets fluent nonsense; do not trust its facts.

## Scores

Greedy answers that equal the reference, token for token, on instances that training never sees:
trained families ${percent(scores.seen)}, held-out families ${percent(scores.heldout)} (mean over families).

| family | split | exact match |
| --- | --- | --- |
${rows.join('\n')}
`;
}
