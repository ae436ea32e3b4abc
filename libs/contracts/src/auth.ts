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
}
export interface CreatedApiKey extends ApiKeyView {
  secret: string;
}
