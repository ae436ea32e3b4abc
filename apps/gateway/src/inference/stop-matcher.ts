/**
 * Finds stop strings in text that arrives in pieces. Text that could still become a stop string is held back, so that
 * no part of one is ever sent.
 */
export class StopMatcher {
  private held = '';

  constructor(private readonly stops: readonly string[]) {}

  /** The text that is safe to send, and whether a stop string was reached (which ends the answer before it). */
  push(text: string): { text: string; stopped: boolean } {
    const joined = this.held + text;
    const at = this.firstStop(joined);
    if (at >= 0) {
      this.held = '';
      return { text: joined.slice(0, at), stopped: true };
    }
    const keep = this.longestPrefixAtEnd(joined);
    this.held = joined.slice(joined.length - keep);
    return { text: joined.slice(0, joined.length - keep), stopped: false };
  }

  /** What was held back, once no more text comes. */
  flush(): string {
    const text = this.held;
    this.held = '';
    return text;
  }

  private firstStop(text: string): number {
    const places = this.stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    return places.length === 0 ? -1 : Math.min(...places);
  }

  private longestPrefixAtEnd(text: string): number {
    let longest = 0;
    for (const stop of this.stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
