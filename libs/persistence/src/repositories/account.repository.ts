import type { Role } from '@attune/contracts';
import { createId, NotFoundError } from '@attune/platform';
import { DataSource, IsNull } from 'typeorm';
import { ApiKey, User } from '../entities/index.js';
import { createSecret, hashSecret, prefixOf } from '../keys.js';

const TOUCH_EVERY_MS = 60_000;

/** People and their keys. */
export class AccountRepository {
  private readonly touched = new Map<string, number>();

  constructor(private readonly db: DataSource) {}

  async createUser(row: { name: string; role: Role; externalId?: string }): Promise<User> {
    const user = { id: createId('user'), externalId: null, ...row };
    await this.db.getRepository(User).insert(user);
    return this.getUser(user.id);
  }

  /** @throws NotFoundError */
  async getUser(id: string): Promise<User> {
    const user = await this.db.getRepository(User).findOneBy({ id });
    if (!user) throw new NotFoundError(`There is no user \`${id}\`.`);
    return user;
  }

  listUsers(): Promise<User[]> {
    return this.db.getRepository(User).find({ order: { createdAt: 'asc', id: 'asc' } });
  }

  countUsers(): Promise<number> {
    return this.db.getRepository(User).count();
  }

  /** The user a trusted front end calls `externalId`; made with role `user` when new. */
  async findOrCreateExternalUser(externalId: string, name: string): Promise<User> {
    const users = this.db.getRepository(User);
    const row = { id: createId('user'), name, role: 'user' as const, externalId };
    const known = await users.findOneBy({ externalId });
    if (known) return known;
    await users.createQueryBuilder().insert().values(row).orIgnore().execute();
    return users.findOneByOrFail({ externalId });
  }

  /**
   * Makes a key; `secret` leaves this process only through the return value.
   * @param row.secret presets the secret instead of a random one
   * @throws NotFoundError when there is no such user
   */
  async createKey(row: { userId: string; name: string; secret?: string }): Promise<{ key: ApiKey; secret: string }> {
    await this.getUser(row.userId);
    const secret = row.secret ?? createSecret();
    const id = createId('key');
    await this.db.getRepository(ApiKey).insert({
      id,
      userId: row.userId,
      name: row.name,
      prefix: prefixOf(secret),
      secretHash: hashSecret(secret),
    });
    return { key: await this.getKey(id), secret };
  }

  /** The key with this hash (see `hashSecret`) and its user; null when unknown or revoked. */
  findByKeyHash(secretHash: string): Promise<ApiKey | null> {
    const where = { secretHash, revokedAt: IsNull() };
    return this.db.getRepository(ApiKey).findOne({ where, relations: { user: true } });
  }

  /** All keys, revoked ones too, newest first, each with its user. */
  listKeys(): Promise<ApiKey[]> {
    return this.db.getRepository(ApiKey).find({ relations: { user: true }, order: { createdAt: 'desc', id: 'desc' } });
  }

  /** @throws NotFoundError when there is no such key that is still valid */
  async revokeKey(id: string): Promise<ApiKey> {
    const result = await this.db
      .getRepository(ApiKey)
      .update({ id, revokedAt: IsNull() }, { revokedAt: () => 'clock_timestamp()' });
    if (!result.affected) throw new NotFoundError(`There is no key \`${id}\` that could be revoked.`);
    return this.getKey(id);
  }

  /** Notes that the key was used, at most once a minute, so that a busy key costs no write per request. */
  async touchKey(id: string): Promise<void> {
    const now = Date.now();
    if (now - (this.touched.get(id) ?? -Infinity) < TOUCH_EVERY_MS) return;
    this.touched.set(id, now);
    await this.db.getRepository(ApiKey).update({ id }, { lastUsedAt: () => 'clock_timestamp()' });
  }

  /** @throws NotFoundError */
  async getKey(id: string): Promise<ApiKey> {
    const key = await this.db.getRepository(ApiKey).findOne({ where: { id }, relations: { user: true } });
    if (!key) throw new NotFoundError(`There is no key \`${id}\`.`);
    return key;
  }
}
