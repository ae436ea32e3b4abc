import { openDatabase, runMigrations, startEmbeddedPostgres, type EmbeddedPostgres } from '@attune/persistence';
import { messageOf, type Config } from '@attune/platform';
import type { Reporter } from './reporter.js';

const LOOK_EVERY_MS = 500;
const MOST_RESTARTS = 5;
const RETRY_MS = 2_000;

/** The database of the product: the one of DATABASE_URL, or the embedded one, watched and started again when it dies. */
export class Database {
  private watch: NodeJS.Timeout | undefined;
  private failures = 0;

  private constructor(
    readonly url: string,
    private readonly dataDir: string,
    private server: EmbeddedPostgres | null,
    private readonly reporter: Reporter,
    private readonly onLost: (sentence: string) => void,
  ) {}

  /** @throws UnavailableError when it cannot be started or reached */
  static async start(config: Config, reporter: Reporter, onLost: (sentence: string) => void): Promise<Database> {
    const { dataDir } = config.storage;
    const external = config.database.databaseUrl;
    if (external) return new Database(external, dataDir, null, reporter, onLost);
    const server = await reporter.during('starting PostgreSQL', startEmbeddedPostgres(dataDir));
    const database = new Database(server.url, dataDir, server, reporter, onLost);
    database.watchFrom(LOOK_EVERY_MS);
    return database;
  }

  /** Brings the schema up to date. @throws UnavailableError when the database cannot be reached */
  async migrate(): Promise<void> {
    const dataSource = await openDatabase(this.url, { poolSize: 2 });
    try {
      const applied = await this.reporter.during('migrating the database', runMigrations(dataSource));
      if (applied.length > 0) this.reporter.say(`  database: ${applied.length} migrations applied`);
    } finally {
      await dataSource.destroy();
    }
  }

  async stop(deadlineMs: number): Promise<void> {
    clearTimeout(this.watch);
    this.watch = undefined;
    const server = this.server;
    this.server = null;
    await server?.stop(deadlineMs);
  }

  private watchFrom(delayMs: number): void {
    this.watch = setTimeout(() => void this.look(), delayMs);
  }

  private async look(): Promise<void> {
    if (!this.server || this.server.isAlive()) return this.watchFrom(LOOK_EVERY_MS);
    this.reporter.say('PostgreSQL has ended; starting it again.');
    try {
      // The same port: gateway and trainer know it and connect again by themselves.
      this.server = await startEmbeddedPostgres(this.dataDir, { port: this.server.port });
      this.failures = 0;
      this.watchFrom(LOOK_EVERY_MS);
    } catch (error) {
      this.failures++;
      if (this.failures >= MOST_RESTARTS) return this.onLost(messageOf(error));
      this.reporter.say(messageOf(error));
      this.watchFrom(RETRY_MS);
    }
  }
}
