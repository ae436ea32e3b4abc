import type { OutputStructure } from '@attune/contracts';
import type { StructureCheck } from '@attune/structured';

export type { OutputStructure, StructureCheck };

/**
 * What the engine promises: token ids in, token ids out, many sequences at once.
 * `Engine` (this process) and `EngineHost` (a child process) offer the same `TokenEngine`.
 */

/** How the next token is drawn. Every field left out takes its neutral value: no field = plain sampling at temperature 1. */
export interface SamplingParams {
  /** 0 = greedy; 1 = the model's own distribution. */
  readonly temperature?: number;
  /** Keep the k most likely tokens; 0 = off. */
  readonly topK?: number;
  /** Keep the smallest set of tokens whose probability reaches p; 1 = off. */
  readonly topP?: number;
  /** Drop tokens less likely than minP times the likeliest; 0 = off. */
  readonly minP?: number;
  /** Locally typical sampling (Meister et al. 2022): keep the tokens nearest to the expected surprise up to this mass; 1 = off. */
  readonly typicalP?: number;
  /** Divides (or multiplies, if negative) the logits of tokens seen in prompt or answer; 1 = off. */
  readonly repetitionPenalty?: number;
  /** Subtracted once from the logit of every token already in the answer; 0 = off. */
  readonly presencePenalty?: number;
  /** Subtracted from a logit once per occurrence of the token in the answer; 0 = off. */
  readonly frequencyPenalty?: number;
  /** Token id -> amount added to its logit. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** The same seed gives the same tokens, alone or in a batch. Left out: the engine draws one and reports it. */
  readonly seed?: number;
}

export interface GenerateRequest {
  /** Unique among the requests under way; the caller's completion id is a good choice. */
  readonly id: string;
  readonly promptIds: readonly number[];
  /** At most this many new tokens; prompt and answer together must fit the engine's `maxSeq`. */
  readonly maxTokens: number;
  /**
   * Tokens of the answer that an earlier run drew: it goes on behind them with the draws it would have had, because
   * token i depends on the seed and i alone. `maxTokens` and `completionTokens` count them; no event repeats them.
   */
  readonly answered?: readonly number[];
  /** The answer ends when one of these is drawn; the token itself is not part of the answer. */
  readonly stopIds?: readonly number[];
  readonly sampling?: SamplingParams;
  /** Report each token's log-probability under the model's unmodified (temperature 1) distribution. */
  readonly logProbs?: boolean;
  /** With `logProbs`: also report this many likeliest alternatives per token. */
  readonly topLogProbs?: number;
  /** Digest of a loaded adapter; null = the base model; left out = whatever is live when the sequence starts. */
  readonly adapter?: string | null;
  /** Fairness key: waiting requests of different users take turns. */
  readonly user?: string;
  /**
   * Only tokens that keep the answer inside this structure can be drawn. The answer ends with reason 'stop' where
   * nothing can follow, without a stop token; it is rejected as invalid when the structure cannot be compiled.
   */
  readonly structure?: OutputStructure;
  /**
   * The prompt may end in the middle of a word: its last token is drawn again, as any token that begins with its text.
   * The answer's first token then holds that text too; `started` names the token. Without effect under a structure.
   */
  readonly healPrompt?: boolean;
  /** Waiting requests of a higher priority start first; default 0. */
  readonly priority?: number;
  /** Milliseconds the request may wait for its first step before it is rejected as late; left out = for ever. */
  readonly startWithinMs?: number;
}

/**
 * - stop: a stop token was drawn - length: `maxTokens` reached - cancelled: the caller gave up
 * - rejected: the request never ran (see `error` and `rejection`) - failed: the engine broke while running it (see `error`)
 */
export type StopReason = 'stop' | 'length' | 'cancelled' | 'rejected' | 'failed';

export interface TokenLogProb {
  readonly token: number;
  readonly logProb: number;
}

/** Which weights produced an answer. `digest` names the pair and is what a completion row stores. */
export interface WeightsId {
  readonly base: string;
  readonly adapter: string | null;
  readonly digest: string;
}

export interface StartedEvent {
  readonly type: 'started';
  readonly weights: WeightsId;
  readonly seed: number;
  readonly promptTokens: number;
  /** Prompt tokens whose keys and values were still in the cache. */
  readonly cachedTokens: number;
  /** The prompt's last token, when it was taken off to be drawn again; see `healPrompt`. */
  readonly healedToken?: number;
}

export interface TokenEvent {
  readonly type: 'token';
  readonly token: number;
  /** Natural log of the model's probability of this token at temperature 1, before any sampler; only with `logProbs`. */
  readonly logProb?: number;
  readonly top?: readonly TokenLogProb[];
}

export interface FinishedEvent {
  readonly type: 'finished';
  readonly reason: StopReason;
  readonly error?: string;
  /** Why it was rejected: the request can never run, the queue is full, or it waited too long. */
  readonly rejection?: 'invalid' | 'overloaded' | 'late';
  /** Absent when the request ended before it started. */
  readonly weights?: WeightsId;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** The stop token that was drawn, with its log-prob: PPO scores the decision to stop. Only with reason 'stop'. */
  readonly stopToken?: TokenEvent;
  readonly timings: GenerationTimings;
}

/** Milliseconds. */
export interface GenerationTimings {
  readonly queuedMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/** One request gives: started?, token*, finished. `finished` always comes, and is last. */
export type EngineEvent = StartedEvent | TokenEvent | FinishedEvent;

/** Its digest names an adapter everywhere; two adapters with one digest are taken to be the same. */
export type { Adapter } from '@attune/checkpoint';

/** fp32 is exact; what the others cost in quality is in docs/engine.md. */
export type WeightFormat = 'fp32' | 'int8' | 'int4';
export type KvFormat = 'fp32' | 'int8';

export type EngineDevice = 'cpu' | 'webgpu' | 'cuda';

/** The engine's own size; part of `EngineStats` so that callers can check a request before sending it. */
export interface EngineLimits {
  /** Sequences that may run at once. */
  readonly slots: number;
  /** Positions per slot: prompt and answer together. */
  readonly maxSeq: number;
  /** Tokens one step may process: all decoding sequences and as much prefill as fits beside them. */
  readonly tokenBudget: number;
}

export interface EngineStats {
  readonly limits: EngineLimits;
  readonly vocabSize: number;
  readonly format: WeightFormat;
  /** Devices keep keys and values in the type they compute in, whatever was asked for. */
  readonly kv: KvFormat | 'fp16';
  /** Where the model runs. */
  readonly device: EngineDevice;
  /** Why `auto` chose it. */
  readonly deviceReason?: string;
  /** Bytes of the weights (ONNX Runtime keeps repacked copies beside them) and of one token in the KV cache. */
  readonly memory: { readonly weightBytes: number; readonly bytesPerToken: number };
  readonly live: WeightsId;
  readonly adapters: readonly string[];
  readonly running: number;
  readonly waiting: number;
  readonly steps: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Tokens taken for the next ones before the model was asked, and those it then drew itself. */
  readonly draftedTokens: number;
  readonly acceptedTokens: number;
}

export interface GenerateOptions {
  /** Aborting ends the sequence at the next step with reason 'cancelled'. */
  readonly signal?: AbortSignal;
}

export interface TokenEngine {
  /**
   * Runs one request. Expected outcomes, failures too, arrive as the `finished` event; the iterator itself throws only
   * when the engine is closed. Leaving the loop early cancels the request.
   */
  generate(request: GenerateRequest, options?: GenerateOptions): AsyncIterable<EngineEvent>;
  /** Ends a request at the next step, with the reason 'cancelled'; nothing happens when there is none of that id. */
  cancel(id: string): void;
  /** New sequences take this adapter (null = base); running ones finish on theirs. The adapter must be loaded. */
  setLive(adapterDigest: string | null): Promise<void>;
  /** Forgets an adapter once no sequence uses it. The live one cannot be unloaded. */
  unloadAdapter(digest: string): Promise<void>;
  /** Whether answers can be held to a structure, and if not, why. One found good is ready when the request comes. */
  checkStructure(structure: OutputStructure): Promise<StructureCheck>;
  /** Token ids of texts, none empty, to vectors of length 1 [hidden]: means of the base model's final hidden states. */
  embed(texts: readonly (readonly number[])[]): Promise<number[][]>;
  stats(): Promise<EngineStats>;
  /** Ends every request with reason 'cancelled' and frees the memory. */
  close(): Promise<void>;
}

/** The whole answer at once; what `collect(engine.generate(request))` returns. */
export interface Generation {
  readonly started: StartedEvent | undefined;
  readonly tokens: readonly number[];
  readonly logProbs: readonly number[];
  readonly finished: FinishedEvent;
}
