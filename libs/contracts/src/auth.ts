import { z } from 'zod';

export const role = z.enum(['user', 'reviewer', 'admin']);
/** Each role may do what the ones before it may. */
export type Role = z.output<typeof role>;

/** GET /api/session: who the key belongs to. */
export interface SessionView {
  user: UserView;
  key_id: string;
}
export interface UserView {
  id: string;
  name: string;
  role: Role;
  created: number;
}
/** GET, POST /api/users (admin) */
export const createUserRequest = z.object({ name: z.string().min(1).max(120), role });
export type CreateUserRequest = z.output<typeof createUserRequest>;
/** GET, POST /api/keys, DELETE /api/keys/{id} (admin). The secret is shown once, in the answer to POST. */
export const createKeyRequest = z.object({ user_id: z.string(), name: z.string().min(1).max(120) });
export type CreateKeyRequest = z.output<typeof createKeyRequest>;
const quota = z.number().int().min(1).max(1e12).nullable().optional();
/** POST /api/keys/{id}/quota (admin): null takes a limit away, a field left out stays as it is. */
export const keyQuotaRequest = z.strictObject({
  requests_per_day: quota.describe('Answers a day (UTC).'),
  tokens_per_day: quota.describe('Tokens of prompts and answers a day (UTC).'),
  max_concurrent: quota.describe('Answers at the same time.'),
});
export type KeyQuotaRequest = z.output<typeof keyQuotaRequest>;

/** GET /api/usage?days=30: a user's own keys, an admin's everybody's. */
export const usageQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) });
export interface KeyUsageView {
  object: 'key.usage';
  /** YYYY-MM-DD, UTC. */
  day: string;
  key_id: string;
  key_name: string;
  user_name: string;
  num_requests: number;
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
}

export interface ApiKeyView {
  id: string;
  user_id: string;
  user_name: string;
  role: Role;
  name: string;
  /** The first characters, to tell keys apart. */
  prefix: string;
  created: number;
  last_used: number | null;
  revoked: number | null;
  requests_per_day: number | null;
  tokens_per_day: number | null;
  max_concurrent: number | null;
}
export interface CreatedApiKey extends ApiKeyView {
  secret: string;
}
