import type { DataSource, EntityManager } from 'typeorm';

/** Small enough that a few of them in memory do not matter, large enough that a file is not thousands of rows. */
const PIECE_BYTES = 1 << 20;

/** A transaction, or anything else that runs a statement. */
export type QueryRunning = Pick<EntityManager, 'query'>;
type Owner = { fileId: string } | { partId: string };

/**
 * Writes bytes as the pieces of a file or of a part of an upload, as they come, so that no more than a piece and a chunk of them is in memory.
 * @returns how many bytes that were
 */
export async function insertStream(
  db: QueryRunning,
  owner: Owner,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
): Promise<number> {
  const [column, id] = 'fileId' in owner ? ['file_id', owner.fileId] : ['part_id', owner.partId];
  let bytes = 0;
  let ordinal = 0;
  for await (const piece of inPieces(chunks)) {
    await db.query(`insert into file_piece (${column}, ordinal, content) values ($1, $2, $3)`, [id, ordinal++, piece]);
    bytes += piece.length;
  }
  return bytes;
}

async function* inPieces(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length;) {
      const taken = chunk.subarray(start, start + PIECE_BYTES - length);
      waiting.push(taken);
      length += taken.length;
      start += taken.length;
      if (length < PIECE_BYTES) continue;
      yield Buffer.concat(waiting);
      [waiting, length] = [[], 0];
    }
  }
  if (length > 0) yield Buffer.concat(waiting);
}

/** Hands the pieces of parts, in the given order of parts, over to a file. */
export async function movePieces(tx: EntityManager, partIds: readonly string[], fileId: string): Promise<void> {
  await tx.query(
    `update file_piece as piece set file_id = $2, part_id = null, ordinal = placed.place
     from (
       select p.part_id, p.ordinal, row_number() over (order by array_position($1, p.part_id), p.ordinal) - 1 as place
       from file_piece p where p.part_id = any($1)
     ) as placed
     where piece.part_id = placed.part_id and piece.ordinal = placed.ordinal`,
    [partIds, fileId],
  );
}

/** A file's bytes in order. */
export async function* readPieces(db: DataSource, fileId: string): AsyncGenerator<Buffer> {
  for (let ordinal = 0; ; ordinal++) {
    const rows: { content: Buffer }[] = await db.query(
      'select content from file_piece where file_id = $1 and ordinal = $2',
      [fileId, ordinal],
    );
    if (rows.length === 0) return;
    yield rows[0].content;
  }
}
