import { CompletionRepository, ConversationRepository, InstanceRepository, type User } from '@attune/persistence';
import { NotFoundError } from '@attune/platform';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthor, newCompletion, outcome } from '../../support/rows.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db } = useTestDatabase();

describe('conversations', () => {
  let user: User;
  let answer: (conversationId?: string) => Promise<{ id: string; conversationId: string }>;
  beforeAll(async () => {
    ({ user, answer } = await createAuthor(db()));
  });

  it('keeps what was asked and what came out', async () => {
    const completions = new CompletionRepository(db());
    const { conversationId } = await answer();
    const row = newCompletion(user, conversationId);
    await completions.open(row);
    expect(await completions.get(row.id)).toMatchObject({ ...row, status: 'open', answer: '', closedAt: null });
    await completions.close(row.id, outcome);
    const closed = await completions.get(row.id);
    expect(closed).toMatchObject(outcome);
    expect(closed.closedAt!.getTime()).toBeGreaterThanOrEqual(closed.openedAt.getTime());
    expect((await completions.turns(conversationId)).map((turn) => turn.id)).toEqual([expect.any(String), row.id]);
  });

  it('stores an answer with characters PostgreSQL refuses, instead of losing the row', async () => {
    const completions = new CompletionRepository(db());
    const { conversationId } = await answer();
    const row = newCompletion(user, conversationId);
    await completions.open({ ...row, messages: [{ role: 'user', content: 'nul \u0000 and half \ud83d' }] });
    await completions.close(row.id, { ...outcome, answer: 'a\u0000b \u{1f600}' });
    expect(await completions.get(row.id)).toMatchObject({
      answer: 'a\ufffdb \u{1f600}',
      messages: [{ role: 'user', content: 'nul \ufffd and half \ufffd' }],
    });
  });

  it('refuses a completion of a conversation that does not exist, and closing what was never opened', async () => {
    const completions = new CompletionRepository(db());
    await expect(completions.open(newCompletion(user, 'conv_none'))).rejects.toThrow(NotFoundError);
    await expect(completions.close('chatcmpl_none', outcome)).rejects.toThrow(NotFoundError);
  });

  it('lets a close be repeated, and keeps what the first one wrote', async () => {
    const completions = new CompletionRepository(db());
    const { id } = await answer();
    const first = await completions.get(id);
    await completions.close(id, { ...outcome, answer: 'another' });
    expect(await completions.get(id)).toEqual(first);
  });

  it('marks what a dead gateway left open, and lets the living one still close it', async () => {
    const completions = new CompletionRepository(db());
    const { conversationId } = await answer();
    const row = { ...newCompletion(user, conversationId), instanceId: 'gw_silent' };
    await completions.open(row);
    await new InstanceRepository(db()).beat('gw_silent');
    await db().query(`update gateway_instance set heartbeat_at = clock_timestamp() - interval '16 seconds'`);
    expect(await completions.markLostOpen()).toBe(1);
    expect((await completions.get(row.id)).status).toBe('lost');
    await completions.close(row.id, outcome);
    expect((await completions.get(row.id)).status).toBe('done');
  });

  it('leaves what a living gateway is answering alone, until it says that it has ended', async () => {
    const completions = new CompletionRepository(db());
    const instances = new InstanceRepository(db());
    const { conversationId } = await answer();
    const row = { ...newCompletion(user, conversationId), instanceId: 'gw_alive' };
    await instances.beat('gw_alive');
    await completions.open(row);
    expect(await completions.markLostOpen()).toBe(0);
    expect((await completions.get(row.id)).status).toBe('open');
    await instances.leave('gw_alive');
    expect(await completions.markLostOpen()).toBe(1);
  });

  it('lists newest first, page by page, without what was deleted', async () => {
    const conversations = new ConversationRepository(db());
    const author = await createAuthor(db());
    const made = [];
    for (let i = 0; i < 5; i++) made.unshift((await author.answer()).conversationId);
    await conversations.softDelete(made[1], author.user.id);
    const first = await conversations.list(author.user.id, 2);
    const second = await conversations.list(author.user.id, 2, first[1].id);
    expect([...first, ...second].map((conversation) => conversation.id)).toEqual([made[0], made[2], made[3], made[4]]);
    await expect(conversations.get(made[1], author.user.id)).rejects.toThrow(NotFoundError);
  });

  it('shows a conversation to its owner only', async () => {
    const conversations = new ConversationRepository(db());
    const { conversationId } = await answer();
    const stranger = await createAuthor(db());
    await expect(conversations.get(conversationId, stranger.user.id)).rejects.toThrow(NotFoundError);
    await expect(conversations.findOrCreate(conversationId, stranger.user.id, 'mine')).rejects.toThrow(NotFoundError);
    await expect(conversations.rename(conversationId, stranger.user.id, 'mine')).rejects.toThrow(NotFoundError);
    expect(await conversations.rename(conversationId, user.id, 'Europe')).toMatchObject({ title: 'Europe' });
  });
});
