import type { WeightFormat } from '@attune/models';
import { afterDraft, afterNoDraft, draftLength, type DraftRecord, NO_DRAFTS } from './draft-length.js';
import { lookUpDraft } from './prompt-lookup.js';

/** What drafting looks at of a sequence. */
export interface Draftable {
  /** Soft prompt, prompt and answer so far. */
  readonly tokens: readonly number[];
  /** Positions before the prompt that hold no tokens. */
  readonly numVirtual: number;
  /** New tokens it may still get. */
  readonly tokensLeft: number;
}

/**
 * Drafts for sequences that run alone. A draft is decided by the sequence's own tokens and by how its earlier drafts
 * fared, never by the clock, so the same request takes the same steps.
 */
export class Speculator {
  /** Tokens that were drafted, and those of them that the model would have drawn itself. */
  readonly counters = { draftedTokens: 0, acceptedTokens: 0 };
  private readonly records = new WeakMap<Draftable, DraftRecord>();

  constructor(private readonly format: WeightFormat) {}

  /** Tokens that may come next; none when no text repeats, or drafts have not paid lately. */
  draft(sequence: Draftable): number[] {
    const record = this.records.get(sequence) ?? NO_DRAFTS;
    // The last token of an answer needs no successor, so a draft as long as what is left would compute one too many.
    const most = Math.min(draftLength(record, this.format), sequence.tokensLeft - 1);
    const draft = most > 0 ? lookUpDraft(sequence.tokens, most, sequence.numVirtual) : [];
    if (most <= 0) this.records.set(sequence, afterNoDraft(record));
    return draft;
  }

  /** Remembers how a draft fared. */
  learn(sequence: Draftable, drafted: number, accepted: number): void {
    const record = this.records.get(sequence) ?? NO_DRAFTS;
    this.records.set(sequence, afterDraft(record, accepted, accepted < drafted));
    this.counters.draftedTokens += drafted;
    this.counters.acceptedTokens += accepted;
  }
}
