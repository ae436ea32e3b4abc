import { type ModelConfig, servingLayout } from '@attune/models';
import { createRandom } from '@attune/platform';
import { float32, type HostTensor, type Session } from '@attune/runtime';
import { KvCache } from './kv-cache.js';
import { placeTokens, stepInputs, StepTensorMaker } from './step-tensors.js';

/** Tokens read to see how large keys and values get, in prompts of CHUNK. */
const SAMPLE = 512;
const CHUNK = 128;
/** Real prompts may hold larger values than the sample; what lies beyond is cut off. */
const HEADROOM = 1.25;
const LARGEST = 127;
const LEAST_SCALE = 1e-8;

/**
 * Scales of an 8-bit KV cache, `<layer>.key|value.scales` [kvHeads, 1, headDim]: the largest magnitude of each channel
 * over a sample of random tokens, read by `session`, whose cache is fp32. What a channel of the keys holds depends on
 * the position, because rotary embedding turns it together with its partner half a head away; the length of the pair
 * does not, so both get the scale of the longest pair.
 */
export async function calibrateCache(session: Session, config: ModelConfig, maxSeq: number) {
  const { headDim } = servingLayout(config);
  const { numLayers: layers, numKvHeads: kvHeads } = config;
  const cache = new KvCache({ layers, slots: 1, kvHeads, maxSeq, headDim }, 'fp32');
  const largest = new Map<string, Float32Array>();
  const random = createRandom(1);
  const length = Math.min(CHUNK, maxSeq);
  for (let read = 0; read < SAMPLE; read += length) {
    await readPrompt(session, cache, samplePrompt(config, length, random.int), config.vocabSize);
    for (const [name, { data }] of Object.entries(cache.view(0, 1).past)) {
      const magnitudes = name.endsWith('key') ? pairLengths : Math.abs;
      keepLargest(largest, name, data as Float32Array, { ...cache.shape, length }, magnitudes);
    }
  }
  return Object.fromEntries([...largest].map(([name, values]) => scalesOf(name, values, kvHeads, headDim)));
}

function samplePrompt({ vocabSize, bosTokenId }: ModelConfig, length: number, draw: (n: number) => number): number[] {
  return Array.from({ length }, (_, i) => (i === 0 && bosTokenId !== null ? bosTokenId : draw(vocabSize)));
}

async function readPrompt(session: Session, cache: KvCache, prompt: readonly number[], vocabSize: number) {
  const step = new StepTensorMaker(vocabSize).make(1, prompt.length, 1);
  placeTokens(step, prompt, 0, [0]);
  const { past, present } = cache.view(0, 1);
  await session.run({ ...stepInputs(step), ...past }, { logits: step.logits, ...present });
}

type Magnitude = (value: number, partner: number) => number;
const pairLengths: Magnitude = (value, partner) => Math.hypot(value, partner);

/** Raises `largest[name]` [kvHeads · headDim] to what the first `length` positions of a layer's keys or values hold. */
function keepLargest(
  largest: Map<string, Float32Array>,
  name: string,
  data: Float32Array,
  { kvHeads, maxSeq, headDim, length }: { kvHeads: number; maxSeq: number; headDim: number; length: number },
  magnitude: Magnitude,
) {
  const found = largest.get(name) ?? new Float32Array(kvHeads * headDim);
  largest.set(name, found);
  for (let head = 0; head < kvHeads; head++)
    for (let position = 0; position < length; position++) {
      const row = (head * maxSeq + position) * headDim;
      for (let channel = 0; channel < headDim; channel++) {
        const partner = data[row + ((channel + headDim / 2) % headDim)]!;
        const at = head * headDim + channel;
        found[at] = Math.max(found[at]!, magnitude(data[row + channel]!, partner));
      }
    }
}

function scalesOf(name: string, largest: Float32Array, kvHeads: number, headDim: number): [string, HostTensor] {
  const scales = largest.map((value) => Math.max(LEAST_SCALE, (value * HEADROOM) / LARGEST));
  return [`${name.replace(/^past\./, '')}.scales`, float32([kvHeads, 1, headDim], scales)];
}
