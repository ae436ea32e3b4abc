import { describe, expect, it } from 'vitest';
import { FullTextRetriever, PassageSourceRetriever } from './full-text-retriever.js';
import type { Passage, PassageSource } from './passage.js';

const passages: Passage[] = ['first', 'second', 'third'].map((text, ordinal) => ({
  id: `psg_${ordinal}`,
  documentId: 'doc_1',
  filename: 'a.txt',
  ordinal,
  text,
  score: 3 - ordinal,
}));
const asked: string[] = [];
const source: PassageSource = {
  searchPassages: (question, limit) => {
    asked.push(question);
    return Promise.resolve(passages.slice(0, limit));
  },
};

describe('the full-text retriever', () => {
  it('gives back the source’s passages whole, in rank order, at most as many as asked for', async () => {
    expect(await new FullTextRetriever(source).retrieve('what?', { limit: 2 })).toEqual(passages.slice(0, 2));
    expect(asked).toEqual(['what?']);
  });

  it('stands in a LangChain chain', async () => {
    const chain = new PassageSourceRetriever(source, 3).pipe((documents) => documents.map((each) => each.pageContent));
    expect(await chain.invoke('what?')).toEqual(['first', 'second', 'third']);
  });

  it('passes the error of a database that is away on', async () => {
    const broken: PassageSource = { searchPassages: () => Promise.reject(new Error('connection refused')) };
    await expect(new FullTextRetriever(broken).retrieve('what?', { limit: 2 })).rejects.toThrow('connection refused');
  });
});
