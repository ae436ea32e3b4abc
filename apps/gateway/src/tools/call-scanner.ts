export type CallPiece = { type: 'name'; name: string } | { type: 'arguments'; text: string };

/** What one piece of text was to the scanner. */
export type Scanned =
  /** The call goes on. */
  | { state: 'open'; pieces: CallPiece[] }
  /** The call has ended; `rest` is what followed it. */
  | { state: 'closed'; pieces: CallPiece[]; rest: string }
  /** This is no call. */
  | { state: 'invalid' };

const ARGUMENT_KEYS = ['arguments', 'parameters'];

/**
 * Reads one call, `{"name": …, "arguments": {…}}`, as it arrives: the name as soon as it is whole, the arguments piece
 * by piece. Arguments that come before the name wait for it; arguments written as a JSON string are unwrapped.
 */
export class CallScanner {
  private depth = 0;
  private inString = false;
  private escaped = false;
  private key: string | undefined;
  /** The member's key or value being read at the call's own level; arguments are handed out instead. */
  private member = '';
  /** Arguments are an object, or one written as a string. */
  private argumentsAre: 'object' | 'string' | undefined;
  private name: string | undefined;
  private held = '';
  private pieces: CallPiece[] = [];

  push(text: string): Scanned {
    this.pieces = [];
    for (let at = 0; at < text.length; at++) {
      const step = this.take(text[at]);
      if (step === 'invalid') return { state: 'invalid' };
      if (step === 'closed') return { state: 'closed', pieces: this.joined(), rest: text.slice(at + 1) };
    }
    return { state: 'open', pieces: this.joined() };
  }

  private take(letter: string): 'open' | 'closed' | 'invalid' {
    if (this.depth === 0) return this.begin(letter);
    const wasOutside = !this.inString;
    this.track(letter);
    if (wasOutside && this.depth === 1 && !this.inString) {
      if (letter === ':' && this.key === undefined) return this.readKey();
      if (letter === ',') return this.endMember('open');
    }
    if (this.depth === 0) return this.endMember('closed');
    this.collect(letter);
    return 'open';
  }

  private begin(letter: string): 'open' | 'invalid' {
    if (/\s/.test(letter)) return 'open';
    if (letter !== '{') return 'invalid';
    this.depth = 1;
    return 'open';
  }

  /** Keeps count of strings and brackets. */
  private track(letter: string): void {
    if (this.escaped) this.escaped = false;
    else if (this.inString) {
      if (letter === '\\') this.escaped = true;
      else if (letter === '"') this.inString = false;
    } else if (letter === '"') this.inString = true;
    else if (letter === '{' || letter === '[') this.depth += 1;
    else if (letter === '}' || letter === ']') this.depth -= 1;
  }

  private readKey(): 'open' | 'invalid' {
    const key = parsed(this.member);
    if (typeof key !== 'string') return 'invalid';
    this.key = key;
    this.member = '';
    return 'open';
  }

  private endMember(then: 'open' | 'closed'): 'open' | 'closed' | 'invalid' {
    const value = this.member.trim();
    if (this.key === 'name') {
      const name = parsed(value);
      if (typeof name !== 'string') return 'invalid';
      this.say(name);
    } else if (this.argumentsAre === 'string') {
      const inner = parsed(value);
      if (typeof inner !== 'string') return 'invalid';
      this.sayArguments(inner);
    }
    this.key = undefined;
    this.argumentsAre = undefined;
    this.member = '';
    return then === 'closed' && this.name === undefined ? 'invalid' : then;
  }

  /** Arguments are handed out as they come; the white space around them is not theirs. */
  private collect(letter: string): void {
    const around = this.depth === 1 && !this.inString && /\s/.test(letter);
    if (this.key !== undefined && ARGUMENT_KEYS.includes(this.key) && !around) {
      this.argumentsAre ??= letter === '"' ? 'string' : 'object';
    }
    if (this.argumentsAre !== 'object') this.member += letter;
    else if (!around) this.sayArguments(letter);
  }

  private say(name: string): void {
    this.name = name;
    this.pieces.push({ type: 'name', name });
    if (this.held !== '') this.pieces.push({ type: 'arguments', text: this.held });
    this.held = '';
  }

  private sayArguments(text: string): void {
    if (this.name === undefined) this.held += text;
    else this.pieces.push({ type: 'arguments', text });
  }

  /** Neighbouring pieces of arguments as one. */
  private joined(): CallPiece[] {
    const joined: CallPiece[] = [];
    for (const piece of this.pieces) {
      const last = joined.at(-1);
      if (piece.type === 'arguments' && last?.type === 'arguments') last.text += piece.text;
      else joined.push({ ...piece });
    }
    return joined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
