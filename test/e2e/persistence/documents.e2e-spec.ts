import { DocumentRepository } from '@attune/persistence';
import { NotFoundError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { createAuthor } from '../../support/rows.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();

describe('documents', () => {
  const passages = [
    'The harbour of Larnby opens at six in the morning.',
    'Tickets for the ferry cost 12 crowns; children travel free.',
    'The ferry, the ferry and again the ferry: a song about the ferry.',
    'Überfahrten nach Süden finden im Winter nicht statt.',
  ];
  const file = (userId: string, text = passages.join('\n')) => ({
    userId,
    filename: 'harbour.txt',
    mimeType: 'text/plain',
    content: Buffer.from(text),
    passages,
  });

  it('finds the passage that answers a question in natural language', async () => {
    const documents = new DocumentRepository(db());
    const { user } = await createAuthor(db());
    const { document } = await documents.add(file(user.id));
    const best = async (question: string) => (await documents.searchPassages(question, 3))[0]?.text;
    expect(await best('When does the harbour open?')).toBe(passages[0]);
    expect(await best('How much do ferry tickets cost?')).toBe(passages[1]);
    expect(await best("What's sung about ferries & (ferry | :*) 'quotes'?")).toBe(passages[2]);
    expect(await best('Gibt es im WINTER überfahrten?')).toBe(passages[3]);
    expect(await documents.searchPassages('what is the and of', 3)).toEqual([]);
    expect(await documents.searchPassages('?!', 3)).toEqual([]);
    await documents.remove(document.id);
    expect(await documents.searchPassages('ferry', 3)).toEqual([]);
    await expect(documents.get(document.id)).rejects.toThrow(NotFoundError);
  });

  it('stores the same file of a user once', async () => {
    const documents = new DocumentRepository(db());
    const [one, two] = [await createAuthor(db()), await createAuthor(db())];
    const added = await documents.add(file(one.user.id));
    expect(added).toMatchObject({ outcome: 'added', document: { numPassages: 4, bytes: expect.any(Number) } });
    expect(added.document).not.toHaveProperty('content');
    expect(await documents.add(file(one.user.id))).toEqual({ outcome: 'known', document: added.document });
    expect((await documents.add(file(two.user.id))).outcome).toBe('added');
    expect(await documents.content(added.document.id)).toEqual(Buffer.from(passages.join('\n')));
    const [newest, older] = await documents.list(2);
    expect(await documents.list(1, newest.id)).toEqual([older]);
  });
});
