import { defineConfig } from 'vitest/config';

// Libraries are read from source (the `@attune/source` export condition), so tests need no build.
const conditions = ['@attune/source', 'node'];

/** One embedded PostgreSQL a run, for the projects that need one. */
const database = ['test/support/global-setup.ts'];

const project = (
  name: string,
  include: string[],
  testTimeout: number,
  sequential = false,
  globalSetup: string[] = [],
) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    name,
    include,
    testTimeout,
    hookTimeout: Math.max(testTimeout, 60_000),
    pool: 'forks' as const,
    fileParallelism: !sequential,
    globalSetup,
  },
});

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      project('unit', ['libs/**/src/**/*.spec.ts', 'apps/**/src/**/*.spec.ts'], 30_000),
      project('synthetic', ['test/synthetic/**/*.spec.ts'], 60_000, true),
      project('parity', ['test/parity/**/*.spec.ts'], 60_000, true),
      project('trajectory', ['test/trajectory/**/*.spec.ts'], 120_000, true),
      project('e2e', ['test/e2e/**/*.e2e-spec.ts'], 240_000, true, database),
      project('browser', ['test/browser/**/*.spec.ts'], 120_000, true, database),
      project('long', ['test/long/**/*.spec.ts'], 3_600_000, true, database),
    ],
  },
});
