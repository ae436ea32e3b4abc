import { z } from 'zod';
import { outputStructure } from './structure.js';

/**
 * What the gateway and the engine's own process say to each other over the child process channel. Requests and events
 * are those of the engine's interface; here is only how they travel. Events go out once a step, all sequences together.
 */

const tokenId = z.number().int().min(0);
const digest = z.string().min(1);
const callId = z.number().int();

export const engineSamplingWire = z.object({
  temperature: z.number().min(0).optional(),
  topK: z.number().int().min(0).optional(),
  topP: z.number().optional(),
  minP: z.number().optional(),
  typicalP: z.number().optional(),
  repetitionPenalty: z.number().positive().optional(),
  presencePenalty: z.number().optional(),
  frequencyPenalty: z.number().optional(),
  logitBias: z.record(z.coerce.number().int(), z.number()).optional(),
  seed: z.number().int().optional(),
});

export const engineRequestWire = z.object({
  id: z.string().min(1),
  promptIds: z.array(z.number()),
  maxTokens: z.number(),
  answered: z.array(tokenId).optional(),
  stopIds: z.array(tokenId).optional(),
  sampling: engineSamplingWire.optional(),
  logProbs: z.boolean().optional(),
  topLogProbs: z.number().int().min(0).optional(),
  adapter: digest.nullable().optional(),
  user: z.string().optional(),
  structure: outputStructure.optional(),
  healPrompt: z.boolean().optional(),
  priority: z.number().optional(),
  startWithinMs: z.number().positive().optional(),
});
export type EngineRequestWire = z.infer<typeof engineRequestWire>;

/** How the engine process is set up; the first message it gets. */
export const engineSetupWire = z.object({
  model: z.string().min(1).describe('Folder in Hugging Face layout.'),
  format: z.enum(['auto', 'fp32', 'int8', 'int4']).optional(),
  kv: z.enum(['fp32', 'int8']).optional(),
  device: z.enum(['auto', 'cpu', 'webgpu', 'cuda']).optional(),
  slots: z.number().int().positive().optional(),
  maxSeq: z.number().int().positive().optional(),
  tokenBudget: z.number().int().positive().optional(),
  gapMs: z.number().positive().optional(),
  queueLimit: z.number().int().positive().optional(),
  threads: z.number().int().positive().optional(),
  spinning: z.boolean().optional(),
  hugePages: z.boolean().optional(),
  speculation: z.boolean().optional(),
  digestCache: z.string().optional(),
  embeddings: z
    .object({ folder: z.string().min(1), digest })
    .optional()
    .describe('The model that makes vectors; left out = `model`.'),
  mergeLiveAfterMs: z.number().min(0).optional(),
});
export type EngineSetupWire = z.infer<typeof engineSetupWire>;

/** Gateway to engine. Commands with a `callId` get one reply; generate gets events. */
export const engineCommand = z.discriminatedUnion('type', [
  z.object({ type: z.literal('setup'), setup: engineSetupWire }),
  z.object({ type: z.literal('generate'), request: engineRequestWire }),
  z.object({ type: z.literal('cancel'), id: z.string() }),
  z.object({ type: z.literal('loadAdapter'), callId, folder: z.string().min(1) }),
  z.object({ type: z.literal('setLive'), callId, digest: digest.nullable() }),
  z.object({ type: z.literal('unloadAdapter'), callId, digest }),
  z.object({ type: z.literal('checkStructure'), callId, structure: outputStructure }),
  z.object({ type: z.literal('embed'), callId, texts: z.array(z.array(z.number())) }),
  z.object({ type: z.literal('stats'), callId }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('close') }),
]);
export type EngineCommand = z.infer<typeof engineCommand>;

export const weightsIdWire = z.object({ base: digest, adapter: digest.nullable(), digest });

const tokenLogProbWire = z.object({ token: tokenId, logProb: z.number().or(z.literal(-Infinity)) });
const tokenEventWire = z.object({
  type: z.literal('token'),
  token: tokenId,
  logProb: tokenLogProbWire.shape.logProb.optional(),
  top: z.array(tokenLogProbWire).optional(),
});

export const engineEventWire = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('started'),
    weights: weightsIdWire,
    seed: z.number(),
    promptTokens: z.number(),
    cachedTokens: z.number(),
    healedToken: tokenId.optional(),
  }),
  tokenEventWire,
  z.object({
    type: z.literal('finished'),
    reason: z.enum(['stop', 'length', 'cancelled', 'rejected', 'failed']),
    error: z.string().optional(),
    rejection: z.enum(['invalid', 'overloaded', 'late']).optional(),
    weights: weightsIdWire.optional(),
    promptTokens: z.number(),
    cachedTokens: z.number(),
    completionTokens: z.number(),
    stopToken: tokenEventWire.optional(),
    timings: z.object({ queuedMs: z.number(), prefillMs: z.number(), decodeMs: z.number() }),
  }),
]);
export type EngineEventWire = z.infer<typeof engineEventWire>;

export const engineStatsWire = z.object({
  limits: z.object({ slots: z.number(), maxSeq: z.number(), tokenBudget: z.number() }),
  vocabSize: z.number(),
  format: z.enum(['fp32', 'int8', 'int4']),
  kv: z.enum(['fp32', 'int8', 'fp16']),
  device: z.enum(['cpu', 'webgpu', 'cuda']),
  deviceReason: z.string().optional(),
  memory: z.object({ weightBytes: z.number(), bytesPerToken: z.number() }),
  live: weightsIdWire,
  adapters: z.array(digest),
  running: z.number(),
  waiting: z.number(),
  steps: z.number(),
  promptTokens: z.number(),
  cachedTokens: z.number(),
  completionTokens: z.number(),
  draftedTokens: z.number(),
  acceptedTokens: z.number(),
});
export type EngineStatsWire = z.infer<typeof engineStatsWire>;

const failure = z.object({ kind: z.string(), message: z.string() });

/** Engine to gateway. */
export const engineMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), stats: engineStatsWire }),
  z.object({ type: z.literal('setupFailed'), failure }),
  z.object({ type: z.literal('events'), events: z.array(z.tuple([z.string(), engineEventWire])) }),
  z.object({ type: z.literal('reply'), callId, value: z.unknown() }),
  z.object({ type: z.literal('callFailed'), callId, failure }),
  z.object({ type: z.literal('pong') }),
]);
export type EngineMessage = z.infer<typeof engineMessage>;
export type EngineFailure = z.infer<typeof failure>;
