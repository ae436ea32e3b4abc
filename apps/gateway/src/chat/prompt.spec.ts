import { groundMessages, type ChatMessage } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import {
  answerRoom,
  conversationTitle,
  expectFits,
  passageBudget,
  retrievalQuery,
  withSystemPrompt,
} from './prompt.js';

const user = (content: string): ChatMessage => ({ role: 'user', content });
const system = (content: string): ChatMessage => ({ role: 'system', content });

describe('the prompt', () => {
  it('gives the operator’s system message only to conversations that have none', () => {
    expect(withSystemPrompt([user('hi')], 'Be kind.')).toEqual([system('Be kind.'), user('hi')]);
    expect(withSystemPrompt([system('Own.'), user('hi')], 'Be kind.')).toEqual([system('Own.'), user('hi')]);
    expect(withSystemPrompt([user('hi')], undefined)).toEqual([user('hi')]);
  });

  it('puts passages before the client’s own system text, in one system message', () => {
    const block = 'Answer from the passages.\n[1] Paris.\n[2] Rome.';
    expect(groundMessages([user('hi')], ['Paris.', 'Rome.'])).toEqual([system(block), user('hi')]);
    expect(groundMessages([system('Shout.'), user('hi')], ['Paris.', 'Rome.'])).toEqual([
      system(`${block}\nShout.`),
      user('hi'),
    ]);
    expect(groundMessages([user('hi')], [])).toEqual([user('hi')]);
  });

  it('searches by the user’s last words', () => {
    expect(retrievalQuery([user('first'), { role: 'assistant', content: 'yes' }, user(' second ')])).toBe('second');
    expect(retrievalQuery([system('only')])).toBeUndefined();
    expect(retrievalQuery([user('  ')])).toBeUndefined();
  });

  it('titles a conversation by its first words, whole ones', () => {
    expect(conversationTitle([user('Hello\n there')])).toBe('Hello there');
    expect(conversationTitle([system('x')])).toBe('New conversation');
    const title = conversationTitle([user('word '.repeat(50))]);
    expect(title).toMatch(/^(word )+word…$/);
    expect(title.length).toBeLessThanOrEqual(61);
  });

  it('leaves room for the answer beside passages', () => {
    expect(passageBudget(1000, 100, undefined)).toBe(500);
    expect(passageBudget(1000, 700, undefined)).toBe(50);
    expect(passageBudget(1000, 700, 10)).toBe(290);
    expect(passageBudget(1000, 990, undefined)).toBe(0);
    expect(passageBudget(1000, 100, 800)).toBe(100);
    expect(passageBudget(1000, 100, 950)).toBe(0);
  });

  it('is refused by its characters alone when no tokens could be long enough', () => {
    expect(() => expectFits('m', 100, [user('x'.repeat(600)), user('y'.repeat(390))], 10)).not.toThrow();
    expect(() => expectFits('m', 100, [user('x'.repeat(600)), user('y'.repeat(391))], 10)).toThrow(
      /991 characters, at least 100 tokens.*context of 100 tokens/,
    );
  });

  it('takes what the context leaves, and says the numbers when it is not enough', () => {
    expect(answerRoom('m', 100, 40, undefined)).toBe(60);
    expect(answerRoom('m', 100, 40, 10)).toBe(10);
    expect(() => answerRoom('m', 100, 100, undefined)).toThrow(/100 tokens.*`m`.*100 tokens/);
    expect(() => answerRoom('m', 100, 40, 61)).toThrow('`max_tokens` is 61');
  });
});
