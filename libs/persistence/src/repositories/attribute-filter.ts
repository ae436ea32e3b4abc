import type { AttributeFilter } from '@attune/contracts';

const OPERATORS = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/**
 * A filter as SQL over the jsonb column `column`. Values travel as parameters, which are pushed to `parameters`.
 * Numbers are compared as numbers and everything else as text; an attribute that a file lacks fits `ne` and `nin` only.
 */
export function filterSql(filter: AttributeFilter, column: string, parameters: unknown[]): string {
  if ('filters' in filter) {
    const parts = filter.filters.map((part) => filterSql(part, column, parameters));
    return `(${parts.join(` ${filter.type} `)})`;
  }
  const place = (value: unknown) => `$${parameters.push(value)}`;
  const { type, value } = filter;
  const key = place(filter.key);
  if (type === 'in' || type === 'nin') {
    const values = place((Array.isArray(value) ? value : [value]).map(String));
    const member = `coalesce(${column} ->> ${key} = any(${values}::text[]), false)`;
    return type === 'in' ? member : `not ${member}`;
  }
  // A branch that does not apply must not be evaluated: 'abc'::numeric is an error.
  const comparison =
    typeof value === 'number'
      ? `case jsonb_typeof(${column} -> ${key}) when 'number' then (${column} ->> ${key})::numeric ${OPERATORS[type]} ${place(value)}::numeric end`
      : `${column} ->> ${key} ${OPERATORS[type]} ${place(String(value))}`;
  return `coalesce(${comparison}, ${type === 'ne'})`;
}
