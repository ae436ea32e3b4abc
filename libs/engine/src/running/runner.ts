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

/** The likeliest token of each row. */
export interface GreedyChoice {
  readonly tokens: readonly number[];
  /** The logit of each; NaN when the weights are damaged. */
  readonly logits: Float32Array;
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
   * As `decode`, for rows that all take their likeliest token. Only where fetching the logits would cost more than the
   * choice does: on a device.
   */
  decodeGreedy?(
    start: number,
    tokens: readonly number[],
    lengths: readonly number[],
    adapters: readonly PreparedAdapter[],
  ): Promise<GreedyChoice>;

  release(): Promise<void>;
}
