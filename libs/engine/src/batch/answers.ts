import { InternalError } from '@attune/platform';
import { Masks } from '../masks.js';
import { describeToken, sampleToken } from '../sampling/sampler.js';
import type { Sequence } from '../sequence.js';
import type { TokenEvent } from '../types.js';
import type { Roster } from './roster.js';

/** How answers grow: which of them can take a token, how it is drawn, and what ends them. */
export class Answers {
  private readonly masks: Masks<Sequence>;

  constructor(private readonly roster: Roster) {
    this.masks = new Masks(roster.clock, (sequence, error) => roster.fail(sequence, error));
  }

  /** Ends structured answers to which no token can be added. */
  endCompleted(): void {
    for (const sequence of this.masks.able([...this.roster.running.values()]))
      this.roster.alone(sequence, () => {
        const state = sequence.matcher?.state ?? 'open';
        if (state === 'complete') this.roster.end(sequence, 'stop');
        const error = 'no token of the model fits the structure here; change the structure';
        if (state === 'stuck') this.roster.end(sequence, 'failed', { error });
      });
  }

  /** Those that can take a token now. */
  able(): Sequence[] {
    // A mask that came only now may say that its answer is over: that is for the next step to see.
    return this.masks.able([...this.roster.running.values()]).filter((sequence) => this.isOpen(sequence));
  }

  /** Whether the next token can be drawn at once: a mask that is late leaves the rest of a draft unchecked. */
  canGoOn(sequence: Sequence): boolean {
    if (!this.roster.running.has(sequence.id)) return false;
    return this.masks.has(sequence) && this.isOpen(sequence);
  }

  /** Draws a sequence's next token from its logits [V]; one that cannot follow its structure ends by itself. */
  advance(sequence: Sequence, logits: Float32Array): void {
    this.roster.alone(sequence, () => this.draw(sequence, logits));
  }

  /** Takes a token that was drawn where the logits are. */
  takeDrawn(sequence: Sequence, token: number, logProb: number): void {
    this.roster.alone(sequence, () => {
      assertSound(logProb);
      sequence.computed += 1;
      this.take(sequence, { type: 'token', token, ...(sequence.request.logProbs && { logProb }) });
    });
  }

  private isOpen(sequence: Sequence): boolean {
    let isOpen = false;
    this.roster.alone(sequence, () => (isOpen = (sequence.matcher?.state ?? 'open') === 'open'));
    return isOpen;
  }

  private draw(sequence: Sequence, logits: Float32Array): void {
    const { request, sampling, promptCounts, answerCounts } = sequence;
    const allowed = sequence.allowed();
    const token = sampleToken(logits, { params: sampling, promptCounts, answerCounts, allowed }, sequence.numDrawn);
    assertSound(logits[token]!);
    this.take(sequence, describeToken(logits, token, request.logProbs ?? false, request.topLogProbs ?? 0));
  }

  private take(sequence: Sequence, event: TokenEvent): void {
    if (sequence.isStop(event.token)) return this.roster.end(sequence, 'stop', { stopToken: event });
    this.roster.counters.completionTokens += 1;
    this.roster.shares.chargeAnswer(sequence.user, 1);
    const reason = sequence.append(event, this.roster.clock.monotonicMs());
    if (reason) this.roster.end(sequence, reason);
  }
}

function assertSound(logit: number): void {
  if (Number.isNaN(logit)) throw new InternalError('the model computed NaN: its weights are damaged');
}
