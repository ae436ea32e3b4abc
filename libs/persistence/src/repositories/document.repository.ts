import { createHash } from 'node:crypto';
import { createId, NotFoundError } from '@attune/platform';
import { DataSource, type EntityManager } from 'typeorm';
import { Document, Passage } from '../entities/index.js';
import { searchTerms } from '../search-terms.js';

export interface NewDocument {
  userId: string;
  filename: string;
  mimeType: string;
  content: Buffer;
  /** The text in the order it is read; searched, cited and put into prompts. */
  passages: string[];
}
export interface DocumentWithCount extends Document {
  numPassages: number;
}
/** `known`: the same user has uploaded the same bytes before; nothing was written. */
export interface AddedDocument {
  outcome: 'added' | 'known';
  document: DocumentWithCount;
}
export interface FoundPassage {
  id: string;
  documentId: string;
  filename: string;
  ordinal: number;
  text: string;
  /** Greater is better; comparable within one search only. */
  score: number;
}

/** Rows a multi-row INSERT takes at once; PostgreSQL allows 65,535 parameters a statement. */
const PASSAGES_PER_INSERT = 2_000;

/**
 * BM25 (Robertson & Zaragoza 2009) with k1 = 1 and b = 0, passages being of one length: each word of the question adds
 * idf · tf / (tf + 1). `ts_rank_cd` with all weights 1 counts occurrences, and its normalisation 32 is tf / (tf + 1).
 */
const SEARCH = `
  with term as materialized (
    select distinct to_tsquery('english', word) as query from unnest($1::text[]) as word
  ), hit as (
    select p.id, p.document_id, p.ordinal, ts_rank_cd('{1,1,1,1}', p.tsv, t.query, 32) as saturation,
      count(*) over (partition by t.query)::float8 as frequency
    from term t join passage p on p.tsv @@ t.query
    where numnode(t.query) > 0
  ), best as (
    select id, document_id, ordinal, sum(ln(1 + (c.size - frequency + 0.5) / (frequency + 0.5)) * saturation) as score
    from hit cross join (select count(*)::float8 as size from passage) c
    group by id, document_id, ordinal
    order by score desc, document_id, ordinal
    limit $2
  )
  select b.id, b.document_id as "documentId", d.filename, b.ordinal, p.text, b.score
  from best b join passage p on p.id = b.id join document d on d.id = b.document_id
  order by b.score desc, b.document_id, b.ordinal`;

/** Uploaded documents and the passages they were cut into. */
export class DocumentRepository {
  constructor(private readonly db: DataSource) {}

  /** Stores the document and all its passages, or nothing. */
  async add(row: NewDocument): Promise<AddedDocument> {
    const sha256 = createHash('sha256').update(row.content).digest('hex');
    const id = createId('doc');
    const outcome = await this.db.transaction(async (tx) => {
      const { passages, ...columns } = row;
      const document = { id, ...columns, bytes: row.content.length, sha256 };
      const inserted = await tx
        .createQueryBuilder()
        .insert()
        .into(Document)
        .values(document)
        .orIgnore()
        .returning('id')
        .execute();
      if (inserted.raw.length === 0) return 'known';
      await insertPassages(tx, id, passages);
      return 'added';
    });
    return { outcome, document: await this.findOne({ userId: row.userId, sha256 }) };
  }

  /** Newest first. `after` is the id of the last entry of the page before. */
  async list(limit: number, after?: string): Promise<DocumentWithCount[]> {
    const query = this.withCounts().orderBy('d.createdAt', 'DESC').addOrderBy('d.id', 'DESC').limit(limit);
    if (after !== undefined) {
      query.where('(d.createdAt, d.id) < (select a.created_at, a.id from document a where a.id = :after)', { after });
    }
    return counted(await query.getRawAndEntities());
  }

  /** @throws NotFoundError */
  get(id: string): Promise<DocumentWithCount> {
    return this.findOne({ id });
  }

  /** The uploaded file. @throws NotFoundError */
  async content(id: string): Promise<Buffer> {
    const document = await this.db
      .getRepository(Document)
      .findOne({ where: { id }, select: { id: true, content: true } });
    if (!document) throw notFound(id);
    return document.content;
  }

  /** Removes the document and its passages. @throws NotFoundError */
  async remove(id: string): Promise<void> {
    const result = await this.db.getRepository(Document).delete({ id });
    if (!result.affected) throw notFound(id);
  }

  /** Whether there is nothing to find. */
  async isEmpty(): Promise<boolean> {
    const [{ empty }] = await this.db.query<{ empty: boolean }[]>('select not exists (select from passage) as empty');
    return empty;
  }

  /** The passages that fit a question in natural language best; a passage needs one of its words, not all. */
  async searchPassages(question: string, limit: number): Promise<FoundPassage[]> {
    const terms = searchTerms(question);
    if (terms.length === 0) return [];
    const rows: FoundPassage[] = await this.db.query(SEARCH, [terms, limit]);
    return rows;
  }

  private async findOne(where: { id: string } | { userId: string; sha256: string }): Promise<DocumentWithCount> {
    const [document] = counted(await this.withCounts().where(where).getRawAndEntities());
    if (!document) throw notFound('id' in where ? where.id : where.sha256);
    return document;
  }

  private withCounts() {
    return this.db
      .getRepository(Document)
      .createQueryBuilder('d')
      .addSelect('(select count(*)::int from passage p where p.document_id = d.id)', 'num_passages');
  }
}

const counted = ({ entities, raw }: { entities: Document[]; raw: { num_passages: number }[] }) =>
  entities.map((document, index) => ({ ...document, numPassages: raw[index].num_passages }));

const notFound = (id: string) => new NotFoundError(`There is no document \`${id}\`.`);

async function insertPassages(tx: EntityManager, documentId: string, passages: string[]): Promise<void> {
  const rows = passages.map((text, ordinal) => ({ id: createId('psg'), documentId, ordinal, text }));
  for (let start = 0; start < rows.length; start += PASSAGES_PER_INSERT) {
    await tx.getRepository(Passage).insert(rows.slice(start, start + PASSAGES_PER_INSERT));
  }
}
