import { type Adapter, isFiniteAdapter, type SoftPromptWeights } from '@attune/checkpoint';
import { adapterInputs, type AdapterInputs, type LayerAdapterKind, type ModelConfig, type Room } from '@attune/models';
import { InvalidRequestError, messageOf } from '@attune/platform';
import { float32, type HostTensor } from '@attune/runtime';
import type { ServingSessions } from './running/serving-sessions.js';

/** Something added in every layer: as inputs of a graph for one adapter, and as a bank takes it. */
export interface LayerUpdate {
  readonly kind: LayerAdapterKind;
  readonly packed: AdapterInputs;
  readonly inputs: Readonly<Record<string, HostTensor>>;
}

/** Embeddings before the prompt. Behind them the base model computes as it always does. */
export interface SoftPrompt {
  readonly kind: 'soft-prompt';
  readonly numTokens: number;
  /** [1, numTokens, hidden] */
  readonly embeddings: HostTensor;
}

/** Base weights with an adapter multiplied into them, in sessions of their own. */
export interface MergedWeights {
  readonly kind: 'merged';
  readonly sessions: ServingSessions;
}

/** What a sequence's weights are beside the base weights; null = nothing. */
export type PreparedAdapter = LayerUpdate | SoftPrompt | MergedWeights | null;

/** An adapter in the arrays that a model's graphs take: plain data in one piece of memory, which another thread may have made. */
export type AdapterLayout = { readonly digest: string } & (
  | { readonly kind: LayerAdapterKind; readonly packed: AdapterInputs }
  | { readonly kind: 'soft-prompt'; readonly numTokens: number; readonly embeddings: Float32Array }
);

/**
 * Checks an adapter against the model and lays it out; none of the adapter's own memory is part of that.
 * @param room where
 * @throws InvalidRequestError when it does not fit
 */
export function layOut(
  config: ModelConfig,
  adapter: Adapter,
  room: Room = (count) => new Float32Array(count),
): AdapterLayout {
  const { digest } = adapter;
  try {
    if (!isFiniteAdapter(adapter))
      throw new RangeError('it holds numbers that are not finite; its training went wrong');
    if (adapter.kind === 'soft-prompt') return { digest, ...fittingPrompt(config, adapter, room) };
    return { digest, kind: adapter.kind ?? 'lora', packed: adapterInputs(config, adapter, room) };
  } catch (error) {
    throw new InvalidRequestError(`adapter ${digest} cannot be served: ${messageOf(error)}`, { cause: error });
  }
}

/** The memory that a layout is in. */
export function memoryOf(layout: AdapterLayout): ArrayBuffer {
  const [any] =
    layout.kind === 'soft-prompt' ? [layout.embeddings] : Object.values(layout.packed).map(({ data }) => data);
  return any!.buffer as ArrayBuffer;
}

/** The layout as tensors. */
export function toTensors(layout: AdapterLayout): LayerUpdate | SoftPrompt {
  if (layout.kind === 'soft-prompt') {
    const { kind, numTokens, embeddings } = layout;
    return { kind, numTokens, embeddings: float32([1, numTokens, embeddings.length / numTokens], embeddings) };
  }
  const { kind, packed } = layout;
  const inputs = Object.entries(packed).map(([name, { shape, data }]) => [name, float32(shape, data)] as const);
  return { kind, packed, inputs: Object.fromEntries(inputs) };
}

/** What is added in the layers, if anything is. */
export const layerUpdateOf = (prepared: PreparedAdapter): LayerUpdate | null =>
  prepared?.kind === 'lora' || prepared?.kind === 'bottleneck' ? prepared : null;

/** Token ids no prompt can hold, which stand for a soft prompt's embeddings where tokens are counted and compared. */
export function virtualTokens(prepared: PreparedAdapter, vocabSize: number): number[] {
  const count = prepared?.kind === 'soft-prompt' ? prepared.numTokens : 0;
  return Array.from({ length: count }, (_, i) => vocabSize + i);
}

function fittingPrompt({ hiddenSize }: ModelConfig, { kind, numTokens, embeddings }: SoftPromptWeights, room: Room) {
  const { length } = embeddings;
  if (length !== numTokens * hiddenSize)
    throw new RangeError(
      `its soft prompt has ${length} numbers for ${numTokens} tokens; this model needs ${hiddenSize} a token`,
    );
  const own = room(length);
  own.set(embeddings);
  return { kind, numTokens, embeddings: own };
}
