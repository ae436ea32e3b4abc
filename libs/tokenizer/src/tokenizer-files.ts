import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidRequestError, messageOf } from '@attune/platform';
import { plainChatTemplate } from './attune-template.js';

type Json = Record<string, unknown>;

/** What a Hugging Face folder says about its tokenizer, gathered from up to seven files. */
export interface TokenizerFiles {
  tokenizer: Json;
  config: Json;
  chatTemplate: string;
  /** Named special tokens (`bos_token` -> its text). */
  specialTokens: Record<string, string>;
  bosId?: number;
  padId?: number;
  /** Every token that ends a generation. */
  eosIds: number[];
}

/**
 * Reads tokenizer.json and, where present, tokenizer_config.json, special_tokens_map.json, chat_template.jinja,
 * chat_template.json, generation_config.json and config.json.
 * @throws InvalidRequestError when tokenizer.json is missing or any of the files is not JSON.
 */
export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const tokenizer = await readJson(folder, 'tokenizer.json');
  if (!tokenizer) {
    throw new InvalidRequestError(`The model folder ${folder} has no tokenizer.json; a fast tokenizer file is needed.`);
  }
  const config = (await readJson(folder, 'tokenizer_config.json')) ?? {};
  const tokensMap = (await readJson(folder, 'special_tokens_map.json')) ?? {};
  const generation = (await readJson(folder, 'generation_config.json')) ?? {};
  const model = (await readJson(folder, 'config.json')) ?? {};
  const ids = tokenIds(tokenizer);
  const specialTokens = namedTokens(tokensMap, config);
  const idOf = (name: string) => ids.get(specialTokens[`${name}_token`]) ?? firstNumber(model[`${name}_token_id`]);
  const eosIds = new Set([idOf('eos'), ...numbers(generation.eos_token_id), ...numbers(model.eos_token_id)]);
  for (const name of ['bos', 'eos'] as const) {
    specialTokens[`${name}_token`] ??= textOf(ids, idOf(name));
  }
  return {
    tokenizer,
    config,
    chatTemplate: await readChatTemplate(folder, config),
    specialTokens,
    bosId: idOf('bos'),
    padId: idOf('pad'),
    eosIds: [...eosIds].filter((id): id is number => id !== undefined),
  };
}

async function readChatTemplate(folder: string, config: Json): Promise<string> {
  const separate = await readText(folder, 'chat_template.jinja');
  const wrapped = (await readJson(folder, 'chat_template.json'))?.chat_template;
  return separate ?? chosenTemplate(wrapped) ?? chosenTemplate(config.chat_template) ?? plainChatTemplate;
}

/** Some folders carry several named templates; `default` is the chat one. */
function chosenTemplate(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value as { name: string; template: string }[];
  return (named.find((entry) => entry.name === 'default') ?? named[0])?.template;
}

function namedTokens(...sources: Json[]): Record<string, string> {
  const named: Record<string, string> = {};
  for (const [key, value] of sources.flatMap((source) => Object.entries(source))) {
    const text = typeof value === 'string' ? value : (value as { content?: unknown } | null)?.content;
    if (key.endsWith('_token') && typeof text === 'string') named[key] = text;
  }
  return named;
}

function tokenIds(tokenizer: Json): Map<string, number> {
  const vocab = (tokenizer.model as Json | undefined)?.vocab;
  const ids = new Map<string, number>();
  if (Array.isArray(vocab)) (vocab as [string, number][]).forEach(([token], id) => ids.set(token, id));
  else for (const [token, id] of Object.entries((vocab ?? {}) as Record<string, number>)) ids.set(token, id);
  for (const added of (tokenizer.added_tokens ?? []) as { id: number; content: string }[])
    ids.set(added.content, added.id);
  return ids;
}

function textOf(ids: Map<string, number>, wanted: number | undefined): string {
  for (const [token, id] of ids) if (id === wanted) return token;
  return '';
}

const numbers = (value: unknown): number[] => [value].flat().filter((id): id is number => typeof id === 'number');
const firstNumber = (value: unknown): number | undefined => numbers(value)[0];

async function readJson(folder: string, name: string): Promise<Json | undefined> {
  const text = await readText(folder, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch (thrown) {
    throw new InvalidRequestError(
      `${path.join(folder, name)} is not JSON: ${messageOf(thrown)}; fetch the model again.`,
    );
  }
}

async function readText(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(path.join(folder, name), 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new InvalidRequestError(`${path.join(folder, name)} cannot be read: ${messageOf(thrown)}.`, {
      cause: thrown,
    });
  }
}
