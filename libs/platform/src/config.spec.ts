import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, settings } from './config.js';
import { printConfiguration } from './print-configuration.js';

describe('the settings', () => {
  it('have defaults that work, under names in camelCase', () => {
    const config = loadConfig({});
    expect(config.http.port).toBe(8080);
    expect(config.storage.dataDir).toBe(path.resolve('data'));
    expect(config.database.databaseUrl).toBeUndefined();
    expect(config.tuning.tuningAutoPromote).toBe(true);
    expect(config.tuning.tuningIntervalHours).toBe(24);
  });

  it('are read from the environment; an empty value is none', () => {
    const config = loadConfig({ PORT: '9', TRUST_USER_HEADERS: '1', TUNING_AUTO_PROMOTE: 'false', HOST: '' });
    expect(config.http).toMatchObject({ port: 9, trustUserHeaders: true, host: '0.0.0.0' });
    expect(config.tuning.tuningAutoPromote).toBe(false);
  });

  it('report every one that cannot be used, not only the first', () => {
    const wrong = { PORT: '70000', ENGINE_WEIGHTS: 'int3', TRUST_USER_HEADERS: 'yes', ADMIN_KEY: 'short' };
    expect(() => loadConfig(wrong)).toThrow(/PORT=70000: .*\n.*ENGINE_WEIGHTS=int3: .*/s);
    expect(() => loadConfig(wrong)).toThrow(/TRUST_USER_HEADERS=yes[^]*ADMIN_KEY: must have at least 16 characters/);
  });

  it('never repeat a secret in an error', () => {
    expect(() => loadConfig({ ADMIN_KEY: 'hunter2', PORT: 'x' })).toThrow(/^(?!.*hunter2).*ADMIN_KEY/s);
  });

  it('each have a sentence', () => {
    for (const group of Object.values(settings)) {
      for (const [name, schema] of Object.entries(group)) expect(`${name}: ${schema.description}`).toMatch(/: \S.*\.$/);
    }
  });
});

it('docs/configuration.md is what the settings print; if not, run `node scripts/print-configuration.mjs`', () => {
  const committed = readFileSync(path.resolve(import.meta.dirname, '../../../docs/configuration.md'), 'utf8');
  expect(committed).toBe(printConfiguration());
});
