import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { AccountRepository, DocumentRepository } from '@attune/persistence';
import { FullTextRetriever, readPassages, relevantPassages, type Passage } from '@attune/retrieval';
import { beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/use-database.js';

const data = path.resolve(import.meta.dirname, '../../../shared/data/rag');
const SPLIT = { chunkCharacters: 400, overlapCharacters: 40 };

interface Entry {
  _id: string;
  title?: string;
  text: string;
}
const jsonLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
const unzipped = (file: string) => gunzipSync(readFileSync(path.join(data, file))).toString();

describe.skipIf(!existsSync(data))('retrieval by Postgres full text (skipped without ../shared/data)', () => {
  const { db } = useTestDatabase();
  let retriever: FullTextRetriever;
  const cranfieldQueries = () => jsonLines(readFileSync(path.join(data, 'cranfield/queries.jsonl'), 'utf8'));

  beforeAll(async () => {
    const documents = new DocumentRepository(db());
    retriever = new FullTextRetriever(documents);
    const user = await new AccountRepository(db()).createUser({ name: 'librarian', role: 'admin' });
    for (const { _id, text } of jsonLines(unzipped('cranfield/corpus.jsonl.gz'))) {
      // Two entries of the collection have no text.
      if (text.trim() === '') continue;
      const content = Buffer.from(text);
      const filename = `${_id}.txt`;
      const { mimeType, passages } = await readPassages({ filename, content }, SPLIT);
      await documents.add({ userId: user.id, filename, mimeType, content, passages });
    }
  }, 180_000);

  it('ranks the Cranfield collection: nDCG@10 of at least 0.45', async () => {
    const judgements = readJudgements();
    const asked = cranfieldQueries().filter(({ _id }) => judgements.has(_id));
    const figures = { queries: asked.length, ndcg10: 0, recall10: 0, msPerQuery: 0 };
    for (const { _id, text } of asked) {
      const started = performance.now();
      const passages = await retriever.retrieve(text, { limit: 100 });
      figures.msPerQuery += (performance.now() - started) / asked.length;
      const ranking = rankDocuments(passages).slice(0, 10);
      const grades = judgements.get(_id)!;
      figures.ndcg10 += ndcg(ranking, grades) / asked.length;
      figures.recall10 += ranking.filter((id) => grades.has(id)).length / grades.size / asked.length;
    }
    console.info('Cranfield, full text:', figures);
    expect(figures.ndcg10).toBeGreaterThan(0.45);
  }, 240_000);

  // All 112 questions of the collection: 97 %; 800 trivia questions: 10 %.
  it('keeps passages for questions the documents are about, and mostly none for others', async () => {
    const own = cranfieldQueries().map(({ text }) => text);
    const foreign = JSON.parse(unzipped('beerqa_800.json.gz')) as { question: string }[];
    const figures = {
      own: await shareWithPassages(own),
      foreign: await shareWithPassages(foreign.slice(0, 200).map(({ question }) => question)),
    };
    console.info('questions that are given passages:', figures);
    expect(figures.own).toBeGreaterThan(0.9);
    expect(figures.foreign).toBeLessThan(0.2);
  }, 240_000);

  async function shareWithPassages(questions: readonly string[]): Promise<number> {
    let grounded = 0;
    for (const question of questions) {
      const passages = relevantPassages(question, await retriever.retrieve(question, { limit: 3 }));
      if (passages.length > 0) grounded++;
    }
    return grounded / questions.length;
  }
});

/** Query id -> document id -> grade from 1 (barely) to 4 (best). */
function readJudgements(): Map<string, Map<string, number>> {
  const judgements = new Map<string, Map<string, number>>();
  const lines = readFileSync(path.join(data, 'cranfield/qrels.tsv'), 'utf8').trim().split('\n').slice(1);
  for (const [query, document, grade] of lines.map((line) => line.split('\t'))) {
    if (Number(grade) < 1) continue;
    judgements.set(query, (judgements.get(query) ?? new Map<string, number>()).set(document, Number(grade)));
  }
  return judgements;
}

/** A document stands where its best passage stands. */
function rankDocuments(passages: readonly Passage[]): string[] {
  return [...new Set(passages.map(({ filename }) => filename.replace('.txt', '')))];
}

/** Järvelin & Kekäläinen 2002, gain = grade, at the length of the ranking. */
function ndcg(ranking: readonly string[], grades: ReadonlyMap<string, number>): number {
  const discounted = (gains: readonly number[]) =>
    gains.reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
  const ideal = [...grades.values()].sort((a, b) => b - a).slice(0, 10);
  return discounted(ranking.map((id) => grades.get(id) ?? 0)) / discounted(ideal);
}
