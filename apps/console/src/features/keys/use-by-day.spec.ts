import type { KeyUsageView } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { totals, useByDay } from './use-by-day.js';

const row = (key_id: string, day: string, num_requests: number): KeyUsageView => ({
  object: 'key.usage',
  day,
  key_id,
  key_name: key_id,
  user_name: 'Ada',
  num_requests,
  prompt_tokens: 10 * num_requests,
  cached_tokens: num_requests,
  completion_tokens: 5 * num_requests,
});

describe('the use of a key by day', () => {
  const rows = [
    row('a', '2026-03-01', 2),
    row('b', '2026-03-01', 9),
    row('a', '2026-02-27', 1),
    row('a', '2026-02-01', 7),
  ];
  const days = useByDay(rows, 'a', 3, Date.parse('2026-03-01T23:59:00Z'));

  it('has every day, oldest first, and no other key’s', () => {
    expect(days.map(({ day, requests }) => [day, requests])).toEqual([
      ['2026-02-27', 1],
      ['2026-02-28', 0],
      ['2026-03-01', 2],
    ]);
  });

  it('adds up', () => expect(totals(days)).toEqual({ requests: 3, tokens: 45 }));
});
