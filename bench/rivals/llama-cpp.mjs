// llama.cpp as node-llama-cpp ships it, in a process of its own: answers { call, ... } messages with milliseconds.
// Its context is driven directly, batch by batch: node-llama-cpp's own queue and samplers would cost it speed.
import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { answerCalls } from './answer-calls.mjs';

const BATCH = 512;

let native;
let sampler;
/** Tokens of each sequence whose keys and values are in the cache. */
let held = [];

const calls = {
  async load({ file, slots, maxSeq, threads }) {
    const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error });
    const model = await llama.loadModel({ modelPath: file });
    const context = await model.createContext({
      contextSize: maxSeq,
      sequences: slots,
      batchSize: BATCH,
      threads: { ideal: threads, min: threads },
    });
    native = context._ctx;
    native.setThreads(threads);
    sampler = new llama._bindings.AddonSampler(model._model);
    sampler.applyConfig({ temperature: 0 });
    held = Array.from({ length: slots }, () => []);
  },

  /** Reads a new prompt up to its first answer token. */
  async prefill({ prompt }) {
    truncate(0, 0);
    const start = performance.now();
    await read(0, prompt);
    return performance.now() - start;
  },

  /** Reads the prompts, then times `count` more tokens of all of them together. */
  async decode({ prompts, count }) {
    const next = [];
    for (const [id, prompt] of prompts.entries()) next.push(await rewind(id, prompt));
    const start = performance.now();
    for (let step = 0; step < count; step++) await decodeAll(next);
    return performance.now() - start;
  },
};

/** Leaves exactly the prompt in the cache, keeping what is there of it. @returns the token that follows */
async function rewind(id, prompt) {
  const isThere = held[id].length >= prompt.length && prompt.every((token, i) => held[id][i] === token);
  truncate(id, isThere ? prompt.length - 1 : 0);
  return read(id, prompt.slice(held[id].length));
}

function truncate(id, length) {
  if (held[id].length > length) native.removeTokenCellsFromSequence(id, length, -1);
  held[id].length = Math.min(held[id].length, length);
}

async function read(id, tokens) {
  let at = 0;
  let picked;
  while (at < tokens.length) {
    const piece = tokens.slice(at, at + BATCH);
    const isLast = at + piece.length === tokens.length;
    native.initBatch(piece.length);
    const wanted = Uint32Array.from(isLast ? [piece.length - 1] : []);
    [picked] = native.addToBatch(id, held[id].length, Uint32Array.from(piece), wanted);
    await native.decodeBatch();
    held[id].push(...piece);
    at += piece.length;
  }
  return native.sampleToken(picked, sampler);
}

/** One more token for every sequence, in one batch. */
async function decodeAll(next) {
  native.initBatch(next.length);
  const picked = next.map((token, id) => {
    const [index] = native.addToBatch(id, held[id].length, Uint32Array.of(token), Uint32Array.of(0));
    held[id].push(token);
    return index;
  });
  await native.decodeBatch();
  for (const [id, index] of picked.entries()) next[id] = await native.sampleToken(index, sampler);
}

answerCalls(calls);
