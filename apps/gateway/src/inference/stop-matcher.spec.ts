import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopMatcher } from './stop-matcher.js';

function run(stops: string[], pieces: string[]): { sent: string; stopped: boolean } {
  const matcher = new StopMatcher(stops);
  let sent = '';
  for (const piece of pieces) {
    const { text, stopped } = matcher.push(piece);
    sent += text;
    if (stopped) return { sent, stopped };
  }
  return { sent: sent + matcher.flush(), stopped: false };
}

describe('stop strings', () => {
  it('end the answer before them, however the text is cut into pieces', () => {
    expect(run(['END'], ['one E', 'N', 'D two'])).toEqual({ sent: 'one ', stopped: true });
    expect(run(['\n\n', 'x'], ['a\n', '\nb'])).toEqual({ sent: 'a', stopped: true });
  });

  it('hold back no more than what may still become one', () => {
    const matcher = new StopMatcher(['STOP']);
    expect(matcher.push('abc ST')).toEqual({ text: 'abc ', stopped: false });
    expect(matcher.push('ART')).toEqual({ text: 'START', stopped: false });
  });

  it('lose nothing when the answer ends in half of one', () => {
    expect(run(['STOP'], ['say ST'])).toEqual({ sent: 'say ST', stopped: false });
  });

  it('cut at the first occurrence for every text and every way to cut it', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 20 });
    const stop = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 6 }), fc.array(stop, { maxLength: 3 }), (pieces, stops) => {
        const whole = pieces.join('');
        const places = stops.map((one) => whole.indexOf(one)).filter((place) => place >= 0);
        const { sent, stopped } = run(stops, pieces);
        expect(stopped).toBe(places.length > 0);
        // Of two stop strings the one that ends first is seen first; nothing of it may have been sent.
        if (stopped) expect(stops.some((one) => whole.startsWith(sent + one))).toBe(true);
        else expect(sent).toBe(whole);
      }),
    );
  });
});
