import { afterAll, beforeAll } from 'vitest';
import { createTestDatabase, type TestDatabase } from './database.js';

/** A fresh database for the specs of a file, dropped after them: what it returns may be called from the first spec on. */
export function useTestDatabase() {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  return { db: () => database.dataSource, url: () => database.url };
}
