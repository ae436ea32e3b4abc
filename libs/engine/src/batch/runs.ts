import type { PreparedAdapter } from '../adapters-prepared.js';
import type { Runner } from '../running/runner.js';
import type { DecodeRun } from '../scheduling/arrange.js';
import type { ChunkBudget } from '../scheduling/chunk-budget.js';
import type { Sequence } from '../sequence.js';
import type { Speculator } from '../speculation/speculator.js';
import type { Answers } from './answers.js';
import type { Roster } from './roster.js';

/** The model's runs of a step: tokens go in, and what comes out moves the answers on. */
export class Runs {
  constructor(
    private readonly runner: Runner,
    private readonly roster: Roster,
    private readonly answers: Answers,
    private readonly chunks: ChunkBudget,
    private readonly speculator: Speculator | null,
  ) {}

  /** A token for each of those whose slots the run covers. */
  async decode({ start, count }: DecodeRun, decoding: readonly Sequence[]): Promise<void> {
    const rows = decoding.filter(({ slot }) => slot >= start && slot < start + count).sort((a, b) => a.slot - b.slot);
    if (rows.length === 1 && (await this.speculate(rows[0]!))) return;
    const tokens = rows.map((sequence) => sequence.tokens.at(-1)!);
    const lengths = rows.map(({ computed }) => computed);
    await this.guard(rows, async () => {
      const adapters = rows.map(preparedOf);
      const draws = this.runner.decodeDrawn ? rows.map(({ draw }) => draw) : [];
      if (this.runner.decodeDrawn && draws.every((draw) => draw !== null)) {
        const drawn = await this.runner.decodeDrawn(start, tokens, lengths, adapters, draws);
        return rows.forEach((each, row) => this.answers.takeDrawn(each, drawn.tokens[row]!, drawn.logProbs[row]!));
      }
      const logits = await this.runner.decode(start, tokens, lengths, adapters);
      for (const sequence of rows) sequence.computed += 1;
      rows.forEach((sequence, row) => this.answers.advance(sequence, this.rowOf(logits, row)));
    });
  }

  /** Reads the next `planned` tokens of a prompt. */
  async prefill(sequence: Sequence, planned: number): Promise<void> {
    await this.guard([sequence], async () => {
      const end = sequence.computed + planned;
      await this.placeSoftPrompt(sequence);
      const start = sequence.computed;
      const count = end - start;
      if (count <= 0) return;
      const tokens = sequence.tokens.slice(start, end);
      const isLast = end === sequence.tokens.length;
      const { clock } = this.roster;
      const startedAt = clock.monotonicMs();
      const logits = await this.runner.prefill(sequence.slot, tokens, start, preparedOf(sequence), isLast);
      this.chunks.observe(count, clock.monotonicMs() - startedAt);
      sequence.computed += count;
      if (logits) this.answers.advance(sequence, logits);
    });
  }

  /**
   * Has the model check a draft of the next tokens in one run, for a sequence that runs alone. Each token is drawn as
   * always, from its own logits and random number; the first that differs from the draft ends it.
   * @returns false when there is nothing to check
   */
  private async speculate(sequence: Sequence): Promise<boolean> {
    const draft = this.speculator?.draft(sequence) ?? [];
    if (draft.length === 0) return false;
    const tokens = [sequence.tokens.at(-1)!, ...draft];
    await this.guard([sequence], async () => {
      const logits = await this.runner.verify(sequence.slot, tokens, sequence.computed, preparedOf(sequence));
      let accepted = 0;
      for (; accepted < tokens.length; accepted++) {
        sequence.computed += 1;
        this.answers.advance(sequence, this.rowOf(logits, accepted));
        if (!this.answers.canGoOn(sequence) || sequence.tokens.at(-1) !== draft[accepted]) break;
      }
      this.speculator!.learn(sequence, draft.length, accepted);
    });
    return true;
  }

  private async placeSoftPrompt(sequence: Sequence): Promise<void> {
    const prepared = preparedOf(sequence);
    if (prepared?.kind !== 'soft-prompt' || sequence.computed >= sequence.numVirtual) return;
    await this.runner.placeSoftPrompt(sequence.slot, prepared);
    sequence.computed = sequence.numVirtual;
  }

  /** A run that fails ends its own sequences and spoils their slots, and nothing else. */
  private async guard(sequences: readonly Sequence[], run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      for (const sequence of sequences) this.roster.fail(sequence, error);
    }
  }

  private rowOf(logits: Float32Array, row: number): Float32Array {
    const { vocabSize } = this.runner.config;
    return logits.subarray(row * vocabSize, (row + 1) * vocabSize);
  }
}

const preparedOf = ({ weights }: Sequence): PreparedAdapter => weights!.prepared;
