import { createHash } from 'node:crypto';
import { AccountRepository, hashSecret } from '@attune/persistence';
import { NotFoundError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();

describe('accounts', () => {
  it('finds a key by the hash of its secret, and no longer once it is revoked', async () => {
    const accounts = new AccountRepository(db());
    const user = await accounts.createUser({ name: 'Ada', role: 'admin' });
    const { key, secret } = await accounts.createKey({ userId: user.id, name: 'laptop' });
    expect(key.secretHash).toBe(createHash('sha256').update(secret).digest('hex'));
    expect(secret.startsWith(key.prefix)).toBe(true);
    await accounts.touchKey(key.id);
    const found = await accounts.findByKeyHash(hashSecret(secret));
    expect(found).toMatchObject({ id: key.id, user: { id: user.id, role: 'admin' } });
    expect(found!.lastUsedAt).toBeInstanceOf(Date);
    await accounts.revokeKey(key.id);
    expect(await accounts.findByKeyHash(hashSecret(secret))).toBeNull();
    await expect(accounts.revokeKey(key.id)).rejects.toThrow(NotFoundError);
  });

  it('makes one user of an external name, however many requests bring it at once', async () => {
    const accounts = new AccountRepository(db());
    const users = await Promise.all(Array.from({ length: 4 }, () => accounts.findOrCreateExternalUser('owui-7', 'Bo')));
    expect(new Set(users.map((user) => user.id)).size).toBe(1);
  });
});
