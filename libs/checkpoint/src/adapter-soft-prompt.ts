import { type AdapterFiles, type AdapterFolder, expectCount, unusable } from './adapter-folder.js';
import type { SoftPromptWeights } from './adapter-kinds.js';

const EMBEDDINGS = 'prompt_embeddings';

/** A soft prompt as PEFT stores it: `prompt_embeddings` [num_virtual_tokens, hidden]. */
export function softPromptFiles({ numTokens, embeddings }: SoftPromptWeights): AdapterFiles {
  const hidden = embeddings.length / numTokens;
  const config = {
    peft_type: 'PROMPT_TUNING',
    num_virtual_tokens: numTokens,
    token_dim: hidden,
    num_transformer_submodules: 1,
    prompt_tuning_init: 'RANDOM',
  };
  return { config, tensors: [{ name: EMBEDDINGS, shape: [numTokens, hidden], data: embeddings }] };
}

/** @throws InvalidRequestError when the tensor is missing or has another shape than the config says */
export function readSoftPrompt(folder: AdapterFolder): SoftPromptWeights {
  const { dir, weights } = folder;
  const numTokens = expectCount(folder, 'num_virtual_tokens');
  const shape = weights.tensors.get(EMBEDDINGS)?.shape;
  if (!shape || weights.tensors.size > 1) throw unusable(dir, `it must hold the tensor \`${EMBEDDINGS}\` and no other`);
  if (shape.length !== 2 || shape[0] !== numTokens)
    throw unusable(
      dir,
      `\`${EMBEDDINGS}\` has the shape [${shape.join(', ')}], ${numTokens} virtual tokens were expected`,
    );
  return { kind: 'soft-prompt', numTokens, embeddings: weights.float32(EMBEDDINGS) };
}
