import { describe, expect, it } from 'vitest';
import { matches, type ScoringMethod } from './scoring.js';

const judged = (method: ScoringMethod, output: string, ...accepted: string[]) => matches(output, { method, accepted });

describe('matches', () => {
  it('compares text word for word, whatever the space around it and a last full stop', () => {
    expect(judged('text', '  Paris.\n', 'Paris')).toBe(true);
    expect(judged('text', 'I do not know', 'I do not know.')).toBe(true);
    expect(judged('text', 'paris', 'Paris')).toBe(false);
    expect(judged('text', 'Paris, France', 'Paris')).toBe(false);
    expect(judged('text', '', 'Paris')).toBe(false);
  });

  it('keeps lines apart', () => {
    expect(judged('text', '- a\n- b', '- a\n- b')).toBe(true);
    expect(judged('text', '- a - b', '- a\n- b')).toBe(false);
  });

  it('accepts any of several answers', () => {
    expect(judged('text', 'It opens at 9.', '9', 'It opens at 9')).toBe(true);
  });

  it('compares JSON by value, whatever the spacing and the order of keys', () => {
    expect(judged('json', '{"b":[1,2],"a":"x"}', '{"a": "x", "b": [1, 2]}')).toBe(true);
    expect(judged('json', '{"a":"x","b":[2,1]}', '{"a": "x", "b": [1, 2]}')).toBe(false);
    expect(judged('json', '{"a": 9}', '{"a": "9"}')).toBe(false);
    expect(judged('json', 'not json', '["not json"]')).toBe(false);
  });

  it('compares what follows the last "Answer:" when the output reasons first', () => {
    expect(judged('final', '3 plus 4 is 7. Answer: 7', '4 plus 3 is 7. Answer: 7')).toBe(true);
    expect(judged('final', '7', 'x. Answer: 7')).toBe(true);
    expect(judged('final', 'Answer: 7. Answer: 8', 'x. Answer: 7')).toBe(false);
  });
});
