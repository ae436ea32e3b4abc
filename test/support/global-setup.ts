import { shareTestServer, startTestServer } from './database.js';

/** One embedded PostgreSQL for all e2e and browser specs of a run; each spec file makes a database of its own in it. */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await startTestServer();
  shareTestServer(server);
  return () => server.stop();
}
