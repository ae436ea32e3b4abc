import { describe, expect, it } from 'vitest';
import { rollbackTarget } from './promotion-history.js';

const after = (...ids: (string | null)[]) => rollbackTarget(ids.map((checkpointId) => ({ checkpointId })));

describe('rollbackTarget', () => {
  it('has nowhere to go while the base weights are live', () => {
    expect(after()).toEqual({ available: false });
    expect(after('a', null)).toEqual({ available: false });
  });

  it('goes to what was live before', () => {
    expect(after('a')).toEqual({ available: true, checkpointId: null });
    expect(after('a', 'b')).toEqual({ available: true, checkpointId: 'a' });
  });

  it('goes further back after a rollback, never forth to what was left', () => {
    expect(after('a', 'b', 'c', 'b')).toEqual({ available: true, checkpointId: 'a' });
    expect(after('a', 'b', 'c', 'b', 'a')).toEqual({ available: true, checkpointId: null });
  });

  it('starts a new branch from where a rollback ended', () => {
    expect(after('a', 'b', 'a', 'c')).toEqual({ available: true, checkpointId: 'a' });
    expect(after('a', 'b', null, 'c')).toEqual({ available: true, checkpointId: null });
  });
});
