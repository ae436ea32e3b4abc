import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.js';

describe('the log', () => {
  it('tells what failed in the database, but not what was to be written', () => {
    const lines: string[] = [];
    const logger = createLogger('spec', 'info', { write: (line) => void lines.push(line) });
    const driverError = Object.assign(new Error('value too long'), { detail: 'my secret words' });
    const error = Object.assign(new Error('value too long'), {
      code: '22001',
      query: "insert into completion values ('my secret words')",
      parameters: ['my secret words'],
      driverError,
    });
    logger.error({ err: error }, 'not written');
    expect(JSON.parse(lines[0]).err).toMatchObject({ message: 'value too long', code: '22001', stack: error.stack });
    expect(lines[0]).not.toContain('secret words');
  });
});
