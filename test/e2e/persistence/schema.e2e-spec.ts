import { runMigrations } from '@attune/persistence';
import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../support/database.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();

describe('schema', () => {
  it('has every column the entities name, with the same nullability', async () => {
    for (const entity of db().entityMetadatas) {
      const rows: { column_name: string; is_nullable: 'YES' | 'NO' }[] = await db().query(
        `select column_name, is_nullable from information_schema.columns
         where table_name = $1 and is_generated = 'NEVER'`,
        [entity.tableName],
      );
      const inDatabase = rows.map((row) => [row.column_name, row.is_nullable === 'YES']).sort();
      const inEntity = entity.columns.map((column) => [column.databaseName, column.isNullable]).sort();
      expect(inEntity, entity.tableName).toEqual(inDatabase);
    }
  });

  it('is migrated once by processes that start together', async () => {
    const applied = await Promise.all([runMigrations(db()), runMigrations(db())]);
    expect(applied).toEqual([[], []]);
  });

  it('goes back to nothing and up again', async () => {
    const scratch = await createTestDatabase();
    try {
      const count = scratch.dataSource.migrations.length;
      for (let i = 0; i < count; i++) await scratch.dataSource.undoLastMigration();
      const left = await scratch.dataSource.query(
        `select tablename from pg_tables where schemaname = 'public' and tablename <> 'migration'`,
      );
      expect(left).toEqual([]);
      expect(await runMigrations(scratch.dataSource)).toHaveLength(count);
    } finally {
      await scratch.close();
    }
  });
});
