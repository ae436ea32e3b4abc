import type { DataExample } from './example.js';

/** GSM8K's mark between the reasoning and the final answer. */
const FINAL = /(?:^|\n)\s*####\s*(.+?)\s*$/;
/** GSM8K's notes for a calculator, e.g. <<48/2=24>>. */
const CALCULATOR = /<<[^<>\n]*=[^<>\n]*>>/g;
/** How the bundled tasks and many corpora close a chain of thought. */
const SO_THE_ANSWER = /(?:^|[\s.])(?:so |therefore,? )?the (?:final )?answer is:?\s*(.+?)\.?\s*$/i;

/**
 * Keeps worked reasoning (Wei et al. 2022, chain of thought) or leaves the final answer alone. A kept rationale with
 * GSM8K's mark loses its calculator notes, and the mark becomes a sentence, so that what is learnt is what a person would
 * say. Text without the mark stays as it is: what looks like a note there may be code.
 */
export function withRationale(example: DataExample, rationale: 'keep' | 'strip'): DataExample {
  if (example.kind !== 'conversation') return example;
  const messages = example.messages.map((message) =>
    message.role === 'assistant' ? { ...message, content: rewrite(message.content, rationale) } : message,
  );
  return { ...example, messages };
}

/** The final answer of worked reasoning; null when the text has none that is marked. */
export function finalAnswer(text: string): string | null {
  return FINAL.exec(text)?.[1] ?? SO_THE_ANSWER.exec(text)?.[1] ?? null;
}

function rewrite(text: string, rationale: 'keep' | 'strip'): string {
  if (rationale === 'strip') return finalAnswer(text) ?? text;
  const marked = FINAL.exec(text);
  if (!marked) return text;
  const reasoning = text.replace(CALCULATOR, '').replace(FINAL, '').trim();
  return `${reasoning}\nThe answer is ${marked[1]}.`;
}
