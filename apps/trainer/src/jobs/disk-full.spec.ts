import { UnavailableError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { isDiskFull } from './disk-full.js';

const errno = (code: string) => Object.assign(new Error(code), { code });

describe('a full disk', () => {
  it('is known by what the system said, however deep that is wrapped', () => {
    const wrapped = new UnavailableError('state.safetensors could not be written', { cause: errno('ENOSPC') });
    expect(isDiskFull(errno('EDQUOT'))).toBe(true);
    expect(isDiskFull(wrapped)).toBe(true);
    expect(isDiskFull(new Error('outer', { cause: wrapped }))).toBe(true);
  });
  it('is no other failure', () => {
    expect(isDiskFull(errno('EACCES'))).toBe(false);
    expect(isDiskFull('ENOSPC')).toBe(false);
    expect(isDiskFull(undefined)).toBe(false);
  });
});
