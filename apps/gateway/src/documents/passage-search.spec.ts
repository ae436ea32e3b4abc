import type { DocumentRepository, FoundPassage } from '@attune/persistence';
import type { Clock, Config } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { PassageSearch } from './passage-search.js';

const passage: FoundPassage = {
  id: 'psg_1',
  documentId: 'doc_1',
  filename: 'zoo.txt',
  ordinal: 0,
  text: 'The zoo opens at nine.',
  score: 5,
};

function setUp() {
  const library: FoundPassage[] = [];
  const clock = { ms: 0, now: () => new Date(0), monotonicMs: () => clock.ms };
  const asked = { times: 0 };
  const documents = {
    searchPassages: async () => {
      asked.times += 1;
      return library;
    },
    isEmpty: async () => library.length === 0,
  };
  const config = { retrieval: { retrievalPassages: 3 } } as Config;
  const search = new PassageSearch(config, clock as Clock, documents as unknown as DocumentRepository);
  const cite = () => search.cite('When does the zoo open?', 100, (text) => text.length);
  return { library, clock, asked, search, cite };
}

describe('the search for passages', () => {
  it('leaves an empty library alone for a second', async () => {
    const { library, clock, asked, cite } = setUp();
    expect(await cite()).toEqual([]);
    await cite();
    expect(asked.times).toBe(0);
    library.push(passage);
    clock.ms = 1_000;
    expect(await cite()).toMatchObject([{ index: 1, document_id: 'doc_1' }]);
  });

  it('finds what was added here at once', async () => {
    const { library, search, cite } = setUp();
    await cite();
    library.push(passage);
    search.documentAdded();
    expect(await cite()).toHaveLength(1);
  });

  it('does not take a library for empty that was filled while it looked', async () => {
    const { library, search, cite } = setUp();
    const looking = cite();
    search.documentAdded();
    await looking;
    library.push(passage);
    expect(await cite()).toHaveLength(1);
  });

  it('asks every time where there are documents', async () => {
    const { library, asked, cite } = setUp();
    library.push(passage);
    await cite();
    await cite();
    expect(asked.times).toBe(2);
  });
});
