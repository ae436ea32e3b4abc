import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TrainedBpe } from './bpe-trainer.js';
import { textPrefix, wordPattern } from './byte-level.js';

export interface TokenizerRoles {
  bos_token: string;
  eos_token: string;
  pad_token: string;
}

/** Writes tokenizer.json, tokenizer_config.json and chat_template.jinja, as any Hugging Face reader expects them. */
export async function writeTokenizerFolder(
  folder: string,
  trained: TrainedBpe,
  settings: { roles: TokenizerRoles; chatTemplate: string; maxLength: number },
): Promise<void> {
  const config = {
    ...settings.roles,
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    model_max_length: settings.maxLength,
    chat_template: settings.chatTemplate,
  };
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson(trained), null, 1) + '\n');
  await writeFile(path.join(folder, 'tokenizer_config.json'), JSON.stringify(config, null, 2) + '\n');
  await writeFile(path.join(folder, 'chat_template.jinja'), settings.chatTemplate);
}

/** The tokenizer.json document of a trained vocabulary. */
function tokenizerJson(trained: TrainedBpe): Record<string, unknown> {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: trained.specialTokens.map((content) => ({
      id: trained.vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: 'Prepend', prepend: textPrefix },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: wordPattern }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
        { type: 'Strip', content: textPrefix, start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: trained.vocab,
      merges: trained.merges,
    },
  };
}
