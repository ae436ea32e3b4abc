import type { ToolCallFormat } from '@attune/tokenizer';
import { callMarks, type CallMarks } from './call-marks.js';
import { CallScanner, type CallPiece } from './call-scanner.js';

export type AnswerPiece =
  { type: 'text'; text: string } | { type: 'call'; name: string } | { type: 'arguments'; text: string };

/**
 * Tells an answer's words from its tool calls while it arrives. What could still become the mark of a call is held
 * back, and what began like a call and is none comes out as text. White space around calls belongs to nobody.
 */
export class ToolCallParser {
  private readonly marks: CallMarks;
  private held = '';
  /** White space that is text only if text follows. */
  private space = '';
  private scanner: CallScanner | undefined;
  /** What the scanner has been given before it found a name, in case it is no call. */
  private scanned = '';
  private inCalls = false;
  private said = false;
  private calls = 0;
  private nameless = false;

  constructor(format: ToolCallFormat) {
    this.marks = callMarks[format];
  }

  /** Calls whose name is known. */
  get numCalls(): number {
    return this.calls;
  }

  /** Whether every call that began has ended. */
  get complete(): boolean {
    return this.scanner === undefined;
  }

  push(text: string): AnswerPiece[] {
    const pieces: AnswerPiece[] = [];
    let rest: string | undefined = this.held + text;
    this.held = '';
    while (rest !== undefined && rest !== '') {
      rest = this.scanner
        ? this.scan(this.scanner, rest, pieces)
        : this.inCalls
          ? this.between(rest)
          : this.outside(rest, pieces);
    }
    return pieces;
  }

  /** What was held back, once no more text comes. */
  flush(): AnswerPiece[] {
    const pieces: AnswerPiece[] = [];
    const text = (this.scanner && this.nameless ? this.scanned : '') + this.held;
    this.say(this.inCalls && !this.scanner ? text.trim() : text, pieces);
    if (this.space !== '' && this.calls === 0) pieces.push({ type: 'text', text: this.space });
    this.held = this.space = this.scanned = '';
    return pieces;
  }

  private outside(text: string, pieces: AnswerPiece[]): string | undefined {
    const mayOpen = !this.marks.onlyFirst || !this.said;
    const found = mayOpen ? firstMark(text, this.marks.opening) : undefined;
    if (found && !(this.marks.onlyFirst && text.slice(0, found.at).trim() !== '')) {
      this.say(text.slice(0, found.at), pieces);
      this.inCalls = true;
      return text.slice(found.at + (found.mark.startsWith('{') ? 0 : found.mark.length));
    }
    const keep = mayOpen ? begunMark(text, this.marks.opening) : 0;
    this.held = text.slice(text.length - keep);
    this.say(text.slice(0, text.length - keep), pieces);
    return undefined;
  }

  /** After an opening mark or a call: separators, the closing mark, the next call; anything else is text again. */
  private between(text: string): string | undefined {
    const rest = text.replace(this.marks.separators, '');
    const { closing } = this.marks;
    if (closing !== undefined && rest !== '' && closing.startsWith(rest.slice(0, closing.length))) {
      if (rest.length < closing.length) {
        this.held = rest;
        return undefined;
      }
      this.inCalls = false;
      return rest.slice(closing.length);
    }
    if (rest.startsWith('{')) {
      this.scanner = new CallScanner();
      this.scanned = '';
      this.nameless = true;
    } else if (rest !== '') this.inCalls = false;
    return rest;
  }

  private scan(scanner: CallScanner, text: string, pieces: AnswerPiece[]): string | undefined {
    const scanned = scanner.push(text);
    if (scanned.state === 'invalid') {
      const whole = this.nameless ? this.scanned + text : text;
      this.leaveCalls();
      this.say(whole, pieces);
      return undefined;
    }
    this.tell(scanned.pieces, pieces);
    if (this.nameless) this.scanned += text;
    if (scanned.state === 'open') return undefined;
    this.scanner = undefined;
    return scanned.rest;
  }

  private tell(found: CallPiece[], pieces: AnswerPiece[]): void {
    for (const piece of found) {
      if (piece.type === 'arguments') pieces.push(piece);
      else {
        this.calls += 1;
        this.nameless = false;
        this.space = '';
        pieces.push({ type: 'call', name: piece.name });
      }
    }
  }

  private leaveCalls(): void {
    this.scanner = undefined;
    this.inCalls = false;
    // What has been taken for a call once is not looked at again.
    this.said = true;
  }

  private say(text: string, pieces: AnswerPiece[]): void {
    const whole = this.space + text;
    const words = whole.trimEnd();
    this.space = whole.slice(words.length);
    if (words === '') return;
    // Between a call and the words after it stands what belongs to neither.
    pieces.push({ type: 'text', text: this.said || this.calls === 0 ? words : words.trimStart() });
    this.said = true;
  }
}

function firstMark(text: string, marks: readonly string[]): { at: number; mark: string } | undefined {
  const found = marks.map((mark) => ({ at: text.indexOf(mark), mark })).filter(({ at }) => at >= 0);
  return found.sort((a, b) => a.at - b.at)[0];
}

/** How many characters at the end of `text` could be the beginning of a mark. */
function begunMark(text: string, marks: readonly string[]): number {
  let longest = 0;
  for (const mark of marks) {
    for (let length = Math.min(mark.length - 1, text.length); length > longest; length--) {
      if (mark.startsWith(text.slice(text.length - length))) longest = length;
    }
  }
  return longest;
}
