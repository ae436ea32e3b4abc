import type { ModelConfig } from '@attune/models';
import type { AdapterLayout, PreparedAdapter, SoftPrompt } from '../adapters-prepared.js';
import type { KvCacheShape } from './kv-cache.js';

/** The KV cache as the slots see it. */
export interface SlotCache {
  readonly shape: KvCacheShape;
  /** Copies at least the first `length` positions of a slot. */
  copy(from: number, to: number, length: number): void;
  /** Exchanges at least the first `length` positions of two slots. */
  swap(a: number, b: number, length: number): void;
}

/** How a row's token is drawn where the logits are. */
export interface Draw {
  /** 0 = the likeliest token. */
  readonly temperature: number;
  /** In [0, 1): where in the cumulative probability the token lies. */
  readonly uniform: number;
}

export interface DrawnTokens {
  readonly tokens: readonly number[];
  /** The model's log-probability of each at temperature 1; NaN when the weights are damaged. */
  readonly logProbs: readonly number[];
}

/** One model in memory: runs pieces of prompts and batches of decoding slots over the KV cache. */
export interface Runner {
  readonly config: ModelConfig;
  readonly cache: SlotCache;
  /** Bytes of the weights and of one token in the KV cache. */
  readonly memory: { readonly weightBytes: number; readonly bytesPerToken: number };

  /** Makes an adapter ready for the model's graphs. */
  prepareAdapter(layout: AdapterLayout): Promise<PreparedAdapter>;

  /** Puts a soft prompt into a slot's cache at positions 0, 1, … */
  placeSoftPrompt(slot: number, prompt: SoftPrompt): Promise<void>;

  /**
   * Puts tokens into a slot's cache at positions `start`…
   * @returns logits [V] after the last token, valid until the next run; null unless `wantLogits`
   */
  prefill(
    slot: number,
    tokens: readonly number[],
    start: number,
    adapter: PreparedAdapter,
    wantLogits: boolean,
  ): Promise<Float32Array | null>;

  /** As `prefill`, with the logits after every token [tokens · V], valid until the next run. */
  verify(slot: number, tokens: readonly number[], start: number, adapter: PreparedAdapter): Promise<Float32Array>;

  /**
   * One token for each of the slots start, start + 1, …
   * @param lengths positions already in the cache, per slot
   * @param adapters per slot
   * @returns logits [count · V], valid until the next run
   */
  decode(
    start: number,
    tokens: readonly number[],
    lengths: readonly number[],
    adapters: readonly PreparedAdapter[],
  ): Promise<Float32Array>;

  /**
   * As `decode`, with the tokens drawn from the plain distribution. Only where fetching the logits would cost more than
   * drawing does: on a device.
   */
  decodeDrawn?(
    start: number,
    tokens: readonly number[],
    lengths: readonly number[],
    adapters: readonly PreparedAdapter[],
    draws: readonly Draw[],
  ): Promise<DrawnTokens>;

  release(): Promise<void>;
}
