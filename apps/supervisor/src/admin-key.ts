import { AccountRepository, createSecret, hashSecret, openDatabase } from '@attune/persistence';

export type AdminKey =
  /** Made now; the secret is shown once and stored nowhere. */
  | { outcome: 'created'; secret: string }
  /** ADMIN_KEY is (or has become) a valid key. */
  | { outcome: 'preset' }
  /** ADMIN_KEY was a key once and has been revoked. */
  | { outcome: 'revoked' }
  /** There is an admin key from before. */
  | { outcome: 'exists' };

/**
 * Makes sure that an admin can get in.
 * @param preset ADMIN_KEY
 * @param another make a further key although there is one
 */
export async function ensureAdminKey(url: string, preset: string | undefined, another: boolean): Promise<AdminKey> {
  const dataSource = await openDatabase(url, { poolSize: 2 });
  try {
    const accounts = new AccountRepository(dataSource);
    const keys = await accounts.listKeys();
    const admins = keys.filter((key) => key.user.role === 'admin' && !key.revokedAt);
    if (preset) {
      const known = keys.find((key) => key.secretHash === hashSecret(preset));
      if (known) return { outcome: known.revokedAt ? 'revoked' : 'preset' };
    } else if (admins.length > 0 && !another) {
      return { outcome: 'exists' };
    }
    const secret = preset ?? createSecret();
    const userId = admins[0]?.userId ?? (await accounts.createUser({ name: 'Administrator', role: 'admin' })).id;
    await accounts.createKey({ userId, name: preset ? 'ADMIN_KEY' : 'first admin key', secret });
    return preset ? { outcome: 'preset' } : { outcome: 'created', secret };
  } finally {
    await dataSource.destroy();
  }
}

/** What the person at the terminal is told about it. */
export function adminKeyLine(key: AdminKey): string {
  switch (key.outcome) {
    case 'created':
      return `Admin key: ${key.secret}   (shown this once; it is stored as a hash)`;
    case 'preset':
      return 'Admin key: the one in ADMIN_KEY';
    case 'revoked':
      return 'Admin key: the one in ADMIN_KEY was revoked; set another, or start with: npm start -- --new-admin-key';
    case 'exists':
      return 'Admin key: shown at the first start; for another one: npm start -- --new-admin-key';
  }
}
