import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DataExample } from './example.js';
import { finalAnswer, withRationale } from './rationale.js';
import { readDataset } from './read-dataset.js';

const file = fileURLToPath(new URL('../../../../../shared/data/instruction/gsm8k_train.jsonl.gz', import.meta.url));
const answerOf = (example: DataExample) => (example.kind === 'conversation' ? example.messages.at(-1)!.content : '');
const says = (content: string): DataExample => ({
  kind: 'conversation',
  messages: [
    { role: 'user', content: 'How many?' },
    { role: 'assistant', content },
  ],
});

describe('a rationale', () => {
  const worked = says('She sold 48/2 = <<48/2=24>>24 clips.\nShe sold 72.\n#### 72');
  it('is kept without the calculator’s notes, and its mark becomes a sentence', () => {
    expect(answerOf(withRationale(worked, 'keep'))).toBe('She sold 48/2 = 24 clips.\nShe sold 72.\nThe answer is 72.');
  });
  it('is stripped to the final answer, however it is marked', () => {
    expect(answerOf(withRationale(worked, 'strip'))).toBe('72');
    expect(answerOf(withRationale(says('12 + 7 = 19. So the answer is 19.'), 'strip'))).toBe('19');
  });
  it('leaves an answer alone that has none', () => {
    expect(answerOf(withRationale(says('Paris.'), 'strip'))).toBe('Paris.');
    expect(answerOf(withRationale(says('Paris.'), 'keep'))).toBe('Paris.');
    expect(finalAnswer('Paris.')).toBeNull();
  });
  it('keeps code that only looks like a calculator’s notes', () => {
    for (const code of ['std::cout << "x"; std::cin >> y;', 'n = a << 2; m = n >> 1', 'x <<1+1=2>> y'])
      expect(answerOf(withRationale(says(code), 'keep'))).toBe(code);
    const shifts = says('1 << 3 is 8, and 8 >> 1 is 4.\n#### 4');
    expect(answerOf(withRationale(shifts, 'keep'))).toBe('1 << 3 is 8, and 8 >> 1 is 4.\nThe answer is 4.');
  });
  it.skipIf(!existsSync(file))(
    'has a final answer in every row of GSM8K (skipped where ../shared/data is absent)',
    () => {
      const { examples } = readDataset(readFileSync(file), 'gsm8k');
      const stripped = examples.map((example) => answerOf(withRationale(example, 'strip')));
      expect(stripped.filter((answer) => !/^-?[\d,.]+$/.test(answer))).toEqual([]);
      const kept = examples.map((example) => answerOf(withRationale(example, 'keep')));
      expect(kept.filter((answer) => /<<|####/.test(answer))).toEqual([]);
    },
  );
});
