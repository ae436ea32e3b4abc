import { describe, expect, it } from 'vitest';
import { RecentUsers } from './recent-users.js';

describe('recent users', () => {
  it('are about for a minute after their last request', () => {
    let now = 0;
    const recent = new RecentUsers(() => now);
    const besides = (...users: string[]) => recent.others(new Set(users));
    recent.see('a');
    expect(besides('a')).toBe(false);
    recent.see('b');
    expect(besides('a')).toBe(true);
    now = 50_000;
    recent.see('a');
    now = 70_000;
    expect(besides('a')).toBe(false);
    expect(besides('b')).toBe(true);
  });
});
