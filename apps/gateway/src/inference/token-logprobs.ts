import { LEAST_LOGPROB, type TokenLogprob } from '@attune/contracts';
import type { TokenEvent } from '@attune/engine';
import type { Tokenizer } from '@attune/tokenizer';

interface WaitingToken {
  /** Characters of the answer before this token's. */
  start: number;
  logprob: TokenLogprob;
}

/** The likelihoods of an answer's tokens, handed out with the text the tokens are part of. */
export class TokenLogprobs {
  private waiting: WaitingToken[] = [];
  private decoded = 0;
  private told = 0;
  private first = true;

  constructor(private readonly tokenizer: Tokenizer) {}

  /** @param decoded the text that the token completed */
  push(event: TokenEvent, decoded: string): void {
    const stripped = this.first && !decoded.startsWith(' ');
    const described = (token: number, logProb = LEAST_LOGPROB) =>
      describe(this.bytes(token, stripped), this.tokenizer.tokenOf(token) ?? '', Math.max(LEAST_LOGPROB, logProb));
    const top_logprobs = (event.top ?? []).map((rival) => described(rival.token, rival.logProb));
    this.waiting.push({ start: this.decoded, logprob: { ...described(event.token, event.logProb), top_logprobs } });
    this.decoded += decoded.length;
    if (this.tokenizer.bytesOf(event.token) !== null) this.first = false;
  }

  /** Those of the tokens that `text`, the next of the answer that goes out, is made of. */
  of(text: string): TokenLogprob[] {
    this.told += text.length;
    const count = this.waiting.findIndex(({ start }) => start >= this.told);
    return this.waiting.splice(0, count < 0 ? this.waiting.length : count).map(({ logprob }) => logprob);
  }

  /** All that are left. */
  rest(): TokenLogprob[] {
    return this.waiting.splice(0).map(({ logprob }) => logprob);
  }

  /** Some tokenizers spell an answer's first word with a space before it, which decoding takes away. */
  private bytes(token: number, stripped: boolean): Uint8Array | null {
    const bytes = this.tokenizer.bytesOf(token);
    return stripped && bytes?.[0] === 0x20 ? bytes.subarray(1) : bytes;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Half a character has no text and is spelled by its bytes, as OpenAI does; a special token goes by its name. */
function describe(bytes: Uint8Array | null, name: string, logprob: number) {
  if (bytes === null) return { token: name, logprob, bytes };
  let token: string;
  try {
    token = utf8.decode(bytes);
  } catch {
    token = `bytes:${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
  return { token, logprob, bytes: [...bytes] };
}
