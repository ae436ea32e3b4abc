import { expect, it } from 'vitest';
import { filterSql } from './attribute-filter.js';

it('never puts keys or values into the SQL text', () => {
  const parameters: unknown[] = [];
  const nasty = `'; drop table vector_store; --`;
  const sql = filterSql(
    {
      type: 'and',
      filters: [
        { type: 'eq', key: nasty, value: nasty },
        { type: 'or', filters: [{ type: 'in', key: 'year', value: [2024, nasty] }] },
      ],
    },
    'f.attributes',
    parameters,
  );
  expect(sql).not.toContain('drop');
  expect(parameters).toEqual([nasty, nasty, 'year', ['2024', nasty]]);
});
