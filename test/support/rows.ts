import { tuningJobConfig } from '@attune/contracts';
import {
  AccountRepository,
  CompletionRepository,
  type CompletionOutcome,
  ConversationRepository,
  type DataSource,
  type NewCheckpoint,
  type NewCompletion,
  type User,
} from '@attune/persistence';
import { createId } from '@attune/platform';

/** Rows that specs start from: small, valid, each with a fresh id. */
export function newCompletion(user: User, conversationId: string): NewCompletion {
  return {
    id: createId('chatcmpl'),
    conversationId,
    userId: user.id,
    source: 'chat',
    model: 'attune-mini',
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
    promptTokenIds: [1, 2, 3],
    sampling: { temperature: 0 },
    seed: 4_294_967_295,
  };
}

export const outcome: CompletionOutcome = {
  status: 'done',
  answer: 'Paris.',
  answerTokenIds: [7, 8],
  answerLogProbs: [-0.25, -1.5],
  stopReason: 'stop',
  weightsDigest: 'sha256:base',
  promptTokens: 3,
  cachedTokens: 1,
  completionTokens: 2,
  queueMs: 0.5,
  prefillMs: 10,
  ttftMs: 12,
  totalMs: 40,
};

export function newCheckpoint(parentId: string | null = null): NewCheckpoint {
  const id = createId('ckpt');
  return {
    id,
    jobId: null,
    parentId,
    baseDigest: 'base',
    adapterDigest: id,
    weightsDigest: `base+${id}`,
    folder: id,
    metrics: { heldout_loss: 1.25 },
  };
}

export const jobConfig = tuningJobConfig.parse({});

/** Terms on which a worker takes a job. */
export const claimNow = { staleSeconds: 30, maxAttempts: 3 };

/** A user, and a function that gives them a closed answer in a conversation (a new one unless named). */
export async function createAuthor(db: DataSource, role: User['role'] = 'user') {
  const user = await new AccountRepository(db).createUser({ name: `${role} of a test`, role });
  const answer = async (conversationId?: string) => {
    const conversation = await new ConversationRepository(db).findOrCreate(conversationId, user.id, 'Capitals');
    const row = newCompletion(user, conversation.id);
    const completions = new CompletionRepository(db);
    await completions.open(row);
    await completions.close(row.id, outcome);
    return completions.get(row.id);
  };
  return { user, answer };
}

export interface Owner {
  userId: string;
  keyId: string;
}

/** A user with a key, whom files and jobs belong to. */
export async function createOwner(db: DataSource): Promise<Owner> {
  const accounts = new AccountRepository(db);
  const { id: userId } = await accounts.createUser({ name: 'owner of a test', role: 'user' });
  const { key } = await accounts.createKey({ userId, name: 'key' });
  return { userId, keyId: key.id };
}

/** Lets the time of everybody who works on a row of the table run out. */
export const expireLeases = (db: DataSource, table: string) =>
  db.query(`update ${table} set leased_until = clock_timestamp() - interval '1 s' where leased_until is not null`);
