import { tuningJobConfig } from '@attune/contracts';
import { parseModelConfig } from '@attune/models';
import { describe, expect, it } from 'vitest';
import { estimateMemory } from '../model/memory-estimate.js';
import type { RowSizes } from '../model/row-sizes.js';
import { type MemoryQuestion, refuseTooLarge } from './memory-limit.js';

const llama = (hidden: number, inner: number, layers: number, heads: number, vocabulary: number) =>
  parseModelConfig({
    architectures: ['LlamaForCausalLM'],
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: heads,
    vocab_size: vocabulary,
    max_position_embeddings: 2048,
    tie_word_embeddings: true,
  });
const small = llama(256, 688, 6, 8, 4096);
const smol = llama(576, 1536, 30, 9, 49_152);
const sampler = { slots: 16, maxSeq: 512 };
const GB = 1e9;

/** Rows of every kind, each as long as these. */
const rows = (sizes: Partial<RowSizes>): MemoryQuestion['rows'] => {
  const all = { row: 512, prompt: 400, answer: 112, rankings: [2], ...sizes };
  return { demonstration: all, preference: all, thumb: all };
};

const question = (overrides: Partial<MemoryQuestion>, job: object = {}): MemoryQuestion => ({
  model: smol,
  config: tuningJobConfig.parse({ stages: ['sft'], form: 'full', ...job }),
  form: { kind: 'full' },
  rows: rows({}),
  replayedRow: 60,
  gradedPrompt: 0,
  sampler,
  allowed: Infinity,
  ...overrides,
});

/** What it needs of this machine's own memory. */
const bytes = (asked: MemoryQuestion): number => refuseTooLarge(asked).here;

describe('the memory a job needs', () => {
  it('is near what was measured: 0.73 GB for all of 5 M weights at 8 × 256 tokens', () => {
    const needed = estimateMemory(small, {
      form: { kind: 'full' },
      stages: [{ step: { sequences: 8, tokens: 256, counted: 256 }, passes: [] }],
      numReferences: 0,
      numTrained: 1,
      activationCheckpointing: false,
      baseWeights: 'fp32',
      sampler: { slots: 0, maxSeq: 0 },
    });
    expect(needed / GB).toBeGreaterThan(0.73 * 0.75);
    expect(needed / GB).toBeLessThan(0.73 * 1.4);
  });
  it('falls with smaller micro-batches, with checkpointing, and with LoRA; rises with a reward model', () => {
    const whole = bytes(question({}));
    expect(bytes(question({}, { micro_batch: 2 }))).toBeLessThan(whole / 2);
    expect(bytes(question({}, { activation_checkpointing: true }))).toBeLessThan(whole / 2);
    const { lora } = tuningJobConfig.parse({});
    expect(bytes(question({ form: { kind: 'lora', ...lora } }))).toBeLessThan(whole);
    expect(bytes(question({}, { stages: ['sft', 'reward'], reward: { batch_size: 1 } }))).toBeGreaterThan(whole);
  });
  it('is refused above the limit, with what would help and how much', () => {
    expect(() => refuseTooLarge(question({ allowed: 6 * GB }))).toThrow(
      /^This job needs about [\d.]+ GB, TRAINER_MEMORY_GB allows 6: lower micro_batch .*\(down to [\d.]+ GB\), or turn on activation_checkpointing \(down to [\d.]+ GB\), or use form "lora" \(down to [\d.]+ GB\)$/,
    );
  });
  it('is left with the weights and what is fetched where a device is named, and may all come back from one that was found', () => {
    const onCpu = refuseTooLarge(question({}));
    const named = refuseTooLarge(question({ device: 'named' }));
    const found = refuseTooLarge(question({ device: 'found' }));
    expect(onCpu.onDevice).toBe(0);
    // All 135 M weights in fp32, their gradients or copies, both moments, one further array, and the process.
    expect(named.here).toBeLessThan(onCpu.here / 2);
    expect(named.here).toBeGreaterThan(4 * 4 * 134e6);
    expect(named.onDevice).toBeGreaterThan(onCpu.here / 2);
    expect(found).toEqual({ here: onCpu.here, onDevice: named.onDevice });
    expect(() => refuseTooLarge(question({ device: 'named', allowed: 6 * GB }))).not.toThrow();
  });
  it('counts every answer of a group, behind the longest prompt the grader has', () => {
    const grpo = (settings: object, gradedPrompt = 100) =>
      bytes(question({ gradedPrompt }, { stages: ['grpo'], grpo: settings }));
    expect(grpo({ group_size: 16 })).toBeGreaterThan(1.5 * grpo({ group_size: 4 }));
    expect(grpo({ group_size: 16, minibatches: 4 })).toBeLessThan(grpo({ group_size: 16 }));
    expect(grpo({}, 1000)).toBeGreaterThan(1.5 * grpo({}, 100));
  });
  it('counts the longest answer behind the longest prompt for KTO, though no row has both', () => {
    const kto = (prompt: number, answer: number) =>
      bytes(question({ rows: rows({ prompt, answer }) }, { stages: ['kto'] }));
    expect(kto(500, 500) - kto(500, 12)).toBeGreaterThan(0.5 * GB);
  });
  it('counts all answers of a ranking: they stay in one batch', () => {
    const reward = (rankings: number[]) =>
      bytes(question({ rows: rows({ rankings }) }, { stages: ['reward'], micro_batch: 2 }));
    expect(reward([9, 2, 2])).toBeGreaterThan(1.5 * reward([2, 2, 2]));
  });
  it('names no remedy that helps nothing', () => {
    const tight = question(
      {
        model: llama(2048, 8192, 24, 32, 32_000),
        rows: rows({ row: 4, prompt: 3, answer: 1 }),
        replayedRow: 4,
        allowed: 1 * GB,
      },
      { sft: { batch_size: 1 }, micro_batch: 1 },
    );
    const refuse = () => refuseTooLarge({ ...tight, form: { kind: 'lora', rank: 2, alpha: 2, targets: ['q_proj'] } });
    expect(refuse).toThrow('use a smaller model or allow more');
  });
});
