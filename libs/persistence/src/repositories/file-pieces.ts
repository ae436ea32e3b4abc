import type { DataSource, EntityManager } from 'typeorm';

/** Small enough that a few of them in memory do not matter, large enough that a file is not thousands of rows. */
const PIECE_BYTES = 1 << 20;

type Owner = { fileId: string } | { partId: string };

/** Writes bytes as the pieces of a file or of a part of an upload. */
export async function insertPieces(tx: EntityManager, owner: Owner, content: Buffer): Promise<void> {
  const [column, id] = 'fileId' in owner ? ['file_id', owner.fileId] : ['part_id', owner.partId];
  for (let start = 0, ordinal = 0; start < content.length; start += PIECE_BYTES, ordinal++) {
    const piece = content.subarray(start, start + PIECE_BYTES);
    await tx.query(`insert into file_piece (${column}, ordinal, content) values ($1, $2, $3)`, [id, ordinal, piece]);
  }
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
