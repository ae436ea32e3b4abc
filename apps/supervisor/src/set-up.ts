import { InvalidRequestError, loadConfig, messageOf } from '@attune/platform';
import { adminKeyLine, ensureAdminKey } from './admin-key.js';
import { Database } from './database.js';
import { Reporter } from './reporter.js';

/**
 * For deployments that run gateway and trainer without the supervisor: brings the database at DATABASE_URL up to date,
 * makes the first admin key, and ends.
 */
async function setUp(reporter: Reporter): Promise<void> {
  const config = loadConfig();
  if (!config.database.databaseUrl) {
    throw new InvalidRequestError('DATABASE_URL is not set; name the PostgreSQL that gateway and trainer will use.');
  }
  const database = await Database.start(config, reporter, (sentence) => reporter.say(sentence));
  await database.migrate();
  reporter.say(adminKeyLine(await ensureAdminKey(database.url, config.security.adminKey, false)));
}

const reporter = new Reporter(process.stdout);
try {
  await setUp(reporter);
} catch (error) {
  reporter.say(messageOf(error));
  process.exitCode = 1;
}
