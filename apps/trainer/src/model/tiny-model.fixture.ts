import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import {
  attuneChatTemplate,
  attuneSpecialTokens,
  attuneTokenRoles,
  Tokenizer,
  trainBpe,
  writeTokenizerFolder,
} from '@attune/tokenizer';
import { initialParameters } from '@attune/training';
import type { BaseModel } from './base-model.js';

const rawConfig = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 300,
  max_position_embeddings: 1024,
  tie_word_embeddings: true,
};

/** A model of random weights and some ten thousand of them, for specs; its tokenizer lies in a fresh folder. */
export async function tinyModel(words: readonly string[]): Promise<BaseModel> {
  const folder = await mkdtemp(path.join(tmpdir(), 'attune-tiny-'));
  const trained = trainBpe(words, { vocabSize: 300, specialTokens: attuneSpecialTokens });
  await writeTokenizerFolder(folder, trained, {
    roles: attuneTokenRoles,
    chatTemplate: attuneChatTemplate,
    maxLength: 256,
  });
  const config = parseModelConfig(rawConfig);
  return {
    name: 'tiny',
    folder,
    digest: 'tiny',
    config,
    rawConfig,
    parameters: initialParameters(config, createRandom(5), 0.3),
    tokenizer: await Tokenizer.fromFolder(folder),
    runtime: createRuntime({ threads: 1 }),
    threads: 1,
  };
}
