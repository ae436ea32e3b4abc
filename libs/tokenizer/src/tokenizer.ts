import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import { InvalidRequestError } from '@attune/platform';
import type { ChatMessage, RenderOptions } from './chat-message.js';
import { ChatTemplate } from './chat-template.js';
import { byteAlphabet } from './byte-level.js';
import { StreamDecoder } from './stream-decoder.js';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files.js';

export interface MaskedConversation {
  ids: number[];
  /** Same length as `ids`: 1 where the token belongs to an assistant turn (its end-of-turn token included), else 0. */
  mask: Uint8Array;
}

/** A private-use character that marks where text must not be read as a special token. */
const breaker = '\uE0FF';

const byteOf = new Map(byteAlphabet.map((letter, byte) => [letter, byte]));

/** Text to token ids and back, as a Hugging Face folder defines it. */
export class Tokenizer {
  readonly chatTemplate: ChatTemplate;
  readonly vocabSize: number;
  readonly bosId?: number;
  readonly padId?: number;
  /** Every token that ends a generation; the first is the end-of-turn token of the chat template. */
  readonly eosIds: readonly number[];
  private readonly inner: HubTokenizer;
  private readonly specialTexts: string[];
  /** Finds any of them; matches nothing where there are none. */
  private readonly anySpecial: RegExp;
  /** Tokens that decoding leaves out, by id. */
  private readonly hiddenTokens: ReadonlyMap<number, string>;
  private readonly alone = new Map<number, string>();
  /** Whether token texts are spelled in the byte alphabet of GPT-2, not in sentencepiece's. */
  private readonly byteLevel: boolean;

  constructor(files: TokenizerFiles) {
    this.inner = new HubTokenizer(files.tokenizer, files.config);
    this.chatTemplate = new ChatTemplate(files.chatTemplate, files.specialTokens);
    this.vocabSize = Math.max(...this.inner.get_vocab().values()) + 1;
    this.bosId = files.bosId;
    this.padId = files.padId;
    this.eosIds = files.eosIds;
    const added = [...this.inner.get_added_tokens_decoder().entries()];
    this.specialTexts = added.map(([, token]) => token.content);
    this.anySpecial = new RegExp(this.specialTexts.map(escaped).join('|') || '(?!)');
    this.hiddenTokens = new Map(
      added.filter(([, token]) => token.special).map(([id, token]) => [Number(id), token.content]),
    );
    this.byteLevel = JSON.stringify(files.tokenizer.decoder ?? null).includes('"ByteLevel"');
  }

  /** @throws InvalidRequestError when the folder has no readable tokenizer.json. */
  static async fromFolder(folder: string): Promise<Tokenizer> {
    return new Tokenizer(await readTokenizerFiles(folder));
  }

  /** `addSpecial` adds what the tokenizer's post-processor puts around a text, such as a leading BOS. */
  encode(text: string, options: { addSpecial?: boolean } = {}): number[] {
    return this.inner.encode(text, { add_special_tokens: options.addSpecial ?? false }).ids;
  }

  /** The exact text of `ids`; special tokens are left out unless `skipSpecial` is false. */
  decode(ids: readonly number[], options: { skipSpecial?: boolean } = {}): string {
    if (ids.length === 0) return '';
    // Without `clean_up_tokenization_spaces: false` "a ." would come back as "a.".
    return this.inner.decode([...ids], {
      skip_special_tokens: options.skipSpecial ?? true,
      clean_up_tokenization_spaces: false,
    });
  }

  /** @param keep special tokens that stay in the text: the marks some models put before their tool calls */
  streamDecoder(keep: readonly string[] = []): StreamDecoder {
    const kept = keep.filter((text) => this.specialTexts.includes(text));
    if (kept.length === 0) return new StreamDecoder((ids) => this.decodeWindow(ids));
    const shown = (id: number) => !this.hiddenTokens.has(id) || kept.includes(this.hiddenTokens.get(id)!);
    return new StreamDecoder((ids) => this.decode(ids.filter(shown), { skipSpecial: false }));
  }

  /** Streams decode every token alone once it has been given out: those texts are remembered. */
  private decodeWindow(ids: readonly number[]): string {
    if (ids.length !== 1) return this.decode(ids);
    const known = this.alone.get(ids[0]);
    if (known !== undefined) return known;
    const text = this.decode(ids);
    this.alone.set(ids[0], text);
    return text;
  }

  /** The bytes a token stands for, perhaps only part of a character; null for special tokens, which stand for no text. */
  bytesOf(id: number): Uint8Array | null {
    if (this.hiddenTokens.has(id)) return null;
    const text = this.tokenOf(id) ?? '';
    if (this.specialTexts.includes(text)) return Buffer.from(text, 'utf8');
    if (this.byteLevel) return Uint8Array.from([...text].map((letter) => byteOf.get(letter) ?? 0x3f));
    const byte = /^<0x([0-9A-F]{2})>$/.exec(text);
    return byte ? Uint8Array.of(parseInt(byte[1], 16)) : Buffer.from(text.replaceAll('▁', ' '), 'utf8');
  }

  idOf(token: string): number | undefined {
    return this.inner.token_to_id(token);
  }

  tokenOf(id: number): string | undefined {
    return this.inner.id_to_token(id);
  }

  /** The ids of a conversation under the chat template; text inside a message never becomes a special token. */
  encodeChat(messages: readonly ChatMessage[], options: RenderOptions = {}): number[] {
    return this.encodeRendered(this.chatTemplate.render(this.guarded(messages), this.guarded(options)));
  }

  /**
   * The ids of a finished conversation and which of them an assistant wrote, for a loss over assistant turns only.
   * A turn's tokens are those the model would have generated after the prompt before it, so training sees the same
   * token boundaries as serving.
   * @throws InvalidRequestError when the template gives no assistant turn that continues its prompt.
   */
  encodeChatWithMask(messages: readonly ChatMessage[], options: Omit<RenderOptions, 'addGenerationPrompt'> = {}) {
    const guarded = this.guarded(messages);
    const settings = this.guarded(options);
    const whole = this.chatTemplate.render(guarded, settings);
    const spans = this.assistantSpans(guarded, whole, settings);
    if (spans.length === 0) {
      throw new InvalidRequestError(
        'No assistant turn can be located in the conversation; end it with an assistant message.',
      );
    }
    return this.encodeSpans(whole, spans);
  }

  private assistantSpans(messages: readonly ChatMessage[], whole: string, options: RenderOptions): [number, number][] {
    const spans: [number, number][] = [];
    messages.forEach((message, index) => {
      if (message.role !== 'assistant') return;
      const before = this.chatTemplate.render(messages.slice(0, index), { ...options, addGenerationPrompt: true });
      const through = this.chatTemplate.render(messages.slice(0, index + 1), options);
      // Some templates rewrite history (drop earlier reasoning): such a turn is context, not a target.
      if (!through.startsWith(before) || !whole.startsWith(through)) return;
      spans.push([before.length, this.endOfTurn(through, before.length)]);
    });
    return spans;
  }

  /** Templates often print a newline after the end-of-turn token, which no model should have to generate. */
  private endOfTurn(text: string, start: number): number {
    const endings = this.eosIds.map((id) => this.tokenOf(id) ?? '').filter((ending) => ending !== '');
    const ends = endings
      .map((ending) => [text.lastIndexOf(ending), ending.length] as const)
      .filter(([at]) => at >= start);
    return ends.length === 0 ? text.length : Math.max(...ends.map(([at, length]) => at + length));
  }

  private encodeSpans(text: string, spans: readonly [number, number][]): MaskedConversation {
    const ids: number[] = [];
    const mask: number[] = [];
    const append = (piece: string, flag: number) => {
      for (const id of this.encodeRendered(piece)) {
        ids.push(id);
        mask.push(flag);
      }
    };
    let position = 0;
    for (const [start, end] of spans) {
      append(text.slice(position, start), 0);
      append(text.slice(start, end), 1);
      position = end;
    }
    append(text.slice(position), 0);
    return { ids, mask: Uint8Array.from(mask) };
  }

  /**
   * Breaks every special token written inside a message (its tool calls and the declarations of tools too), so that a
   * user cannot forge the end of a turn.
   */
  private guarded<Value>(value: Value): Value {
    if (typeof value === 'string') return this.guard(value) as Value;
    if (Array.isArray(value)) return value.map((one: unknown) => this.guarded(one)) as Value;
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, one]) => [this.guard(key), this.guarded(one as unknown)]);
    return Object.fromEntries(entries) as Value;
  }

  private guard(content: string): string {
    if (!this.anySpecial.test(content)) return content;
    return this.specialTexts.reduce(
      (text, special) => text.replaceAll(special, special.slice(0, 1) + breaker + special.slice(1)),
      content.replaceAll(breaker, ''),
    );
  }

  private encodeRendered(text: string): number[] {
    if (!text.includes(breaker)) return this.encode(text);
    return text.split(breaker).flatMap((piece) => this.encode(piece));
  }
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
