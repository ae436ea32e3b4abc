import type { FinishReason, TokenLogprob } from '@attune/contracts';
import type { ToolCallFormat } from '@attune/tokenizer';
import type { InferenceEvent } from '../inference/inference.types.js';
import { ToolCallParser, type AnswerPiece } from '../tools/tool-call-parser.js';
import type { AnswerEvent } from './chat.types.js';

type Said = Extract<AnswerEvent, { type: 'started' | 'text' | 'tool_call' | 'tool_arguments' }>;

/** Reads what the model writes as what it says and what it calls. */
export class AnswerReader {
  private readonly parser: ToolCallParser | undefined;
  /** Of text that is still held back. */
  private logprobs: TokenLogprob[] = [];
  /** The call whose arguments come. */
  private call = -1;

  /** @param format left out: the model was shown no tools, so that all it writes are words */
  constructor(
    format: ToolCallFormat | undefined,
    private readonly newCallId: () => string,
  ) {
    if (format !== undefined) this.parser = new ToolCallParser(format);
  }

  read(event: InferenceEvent): Said[] {
    if (event.type === 'started') return [{ type: 'started', fingerprint: event.fingerprint }];
    if (event.type === 'finished') return this.tell(this.parser?.flush() ?? []);
    this.logprobs.push(...(event.logprobs ?? []));
    return this.tell(this.parser ? this.parser.push(event.text) : [{ type: 'text', text: event.text }]);
  }

  /** Calls count only when they are whole: one that was cut is never told as made. */
  reason(reason: 'stop' | 'length'): FinishReason {
    const called = this.parser !== undefined && this.parser.numCalls > 0 && this.parser.complete;
    return reason === 'stop' && called ? 'tool_calls' : reason;
  }

  private tell(pieces: readonly AnswerPiece[]): Said[] {
    return pieces.flatMap((piece) => this.event(piece));
  }

  private event(piece: AnswerPiece): Said[] {
    if (piece.type === 'arguments') return [{ type: 'tool_arguments', index: this.call, text: piece.text }];
    const logprobs = this.logprobs;
    this.logprobs = [];
    if (piece.type === 'call') {
      this.call += 1;
      return [{ type: 'tool_call', index: this.call, id: this.newCallId(), name: piece.name }];
    }
    if (piece.text === '' && logprobs.length === 0) return [];
    return [{ type: 'text', text: piece.text, ...(logprobs.length > 0 && { logprobs }) }];
  }
}
