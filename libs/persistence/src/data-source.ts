import { InvalidRequestError, messageOf, UnavailableError } from '@attune/platform';
import { DataSource, DefaultNamingStrategy } from 'typeorm';
import { migrations } from '../../../migrations/index.js';
import { entities } from './entities/index.js';
import { placeOf } from './url.js';

/** Any constant does, as long as every process of the product takes the same one. */
const MIGRATION_LOCK = 0x41747475;

/** `createdAt` in TypeScript is `created_at` in PostgreSQL. */
class SnakeCaseNames extends DefaultNamingStrategy {
  override columnName(property: string, customName: string | undefined, prefixes: string[]): string {
    return snakeCase([...prefixes, customName ?? property].join('_'));
  }
  override joinColumnName(relation: string, referencedColumn: string): string {
    return snakeCase(`${relation}_${referencedColumn}`);
  }
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** An unopened data source; `poolSize` is the most connections this process may hold (at least 2). */
export function createDataSource(url: string, options: { poolSize?: number } = {}): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    applicationName: 'attune',
    poolSize: Math.max(2, options.poolSize ?? 10),
    connectTimeoutMS: 10_000,
    extra: { keepAlive: true },
    // An idle connection that breaks is replaced by the pool; without this the process would end on its error event.
    poolErrorHandler: () => undefined,
    entities,
    migrations,
    migrationsTableName: 'migration',
    namingStrategy: new SnakeCaseNames(),
    synchronize: false,
    logging: false,
  });
}

/**
 * Opens the database.
 * @throws UnavailableError naming host and port (never the password) and the reason
 * @throws InvalidRequestError when `url` is none
 */
export async function openDatabase(url: string, options: { poolSize?: number } = {}): Promise<DataSource> {
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new InvalidRequestError('DATABASE_URL is no database address; write postgres://user:secret@host:port/name.');
  }
  const dataSource = createDataSource(url, options);
  try {
    return await dataSource.initialize();
  } catch (error) {
    throw new UnavailableError(
      `The database at ${placeOf(url)} cannot be used: ${reasonOf(error)}. Check that PostgreSQL runs there and that DATABASE_URL names the right user, secret and database.`,
      { cause: error },
    );
  }
}

/** Brings the schema up to date; processes that start together take turns. Returns the names of what was applied. */
export async function runMigrations(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const applied = await dataSource.runMigrations({ transaction: 'all' });
    return applied.map((migration) => migration.name);
  } finally {
    await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await runner.release();
  }
}

/** Node reports a refused connection to several addresses as an AggregateError with an empty message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return messageOf(error);
}
