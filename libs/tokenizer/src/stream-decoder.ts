/** Longest run of tokens held back while a character is incomplete: UTF-8 needs at most four bytes. */
const maxPendingTokens = 8;
const replacementCharacter = '\uFFFD';

/**
 * Turns token ids, one at a time, into text that never ends in half a character.
 * Text is read off the difference between two decodings of a short window, so it is right for byte-level decoders and
 * for sentencepiece ones (which strip a leading space) alike, at a cost that does not grow with the answer.
 */
export class StreamDecoder {
  private window: number[] = [];
  /** How many tokens of the window have already been given out, and as what text. */
  private settled = 0;
  private known = '';

  constructor(private readonly decode: (ids: readonly number[]) => string) {}

  /** The text that `id` completes; empty while a character is still missing bytes. */
  push(id: number): string {
    this.window.push(id);
    const text = this.fresh();
    const incomplete = text.endsWith(replacementCharacter) && this.window.length - this.settled < maxPendingTokens;
    return incomplete ? '' : this.settle(text);
  }

  /** What was still held back; call once when the sequence has ended. */
  flush(): string {
    return this.window.length === this.settled ? '' : this.settle(this.fresh());
  }

  private settle(text: string): string {
    if (text === '') return '';
    this.window = this.window.slice(this.settled);
    this.settled = this.window.length;
    this.known = this.decode(this.window);
    return text;
  }

  private fresh(): string {
    return this.decode(this.window).slice(this.known.length);
  }
}
