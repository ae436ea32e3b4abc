import { channels } from '@attune/contracts';
import { CheckpointRepository, LIVE_HAS_CHANGED, Notifications } from '@attune/persistence';
import { ConflictError, NotFoundError } from '@attune/platform';
import { describe, expect, it, vi } from 'vitest';
import { jobConfig, newCheckpoint } from '../../support/rows.js';
import { useTestDatabase } from '../../support/use-database.js';

const { db, url } = useTestDatabase();

describe('checkpoints', () => {
  const checkpoints = () => new CheckpointRepository(db());
  const report = (passed: boolean) => ({ passed, checks: [], suite: [], samples: [] });
  const passedCheckpoint = async (parentId: string | null = null) => {
    const { id } = await checkpoints().add(newCheckpoint(parentId));
    return checkpoints().setGateReport(id, report(true));
  };

  it('lets nothing go live that has not passed its gate', async () => {
    const { id } = await checkpoints().add(newCheckpoint());
    await expect(checkpoints().promote(id, 'ada', 'looks fine')).rejects.toThrow(ConflictError);
    expect((await checkpoints().setGateReport(id, report(false))).status).toBe('rejected');
    await expect(checkpoints().promote(id, 'ada', 'still')).rejects.toThrow(ConflictError);
    await expect(checkpoints().setGateReport(id, report(true))).rejects.toThrow(ConflictError);
    await expect(checkpoints().promote('ckpt_none', 'ada', 'typo')).rejects.toThrow(NotFoundError);
    expect(await checkpoints().live()).toEqual({ checkpoint: null, promotion: null });
    expect(await checkpoints().rollbackTarget()).toEqual({ available: false });
  });

  it('lets nothing go live that was trained to be named, for its gate asked no evidence', async () => {
    const [job] = await db().query<{ id: string }[]>(
      `insert into tuning_job (id, trigger, config, status) values ('job_named', 'api', $1, 'succeeded') returning id`,
      [JSON.stringify({ ...jobConfig, promotion: 'never' })],
    );
    const { id } = await checkpoints().add({ ...newCheckpoint(), jobId: job!.id });
    await checkpoints().setGateReport(id, report(true));
    await expect(checkpoints().promote(id, 'ada', 'by hand')).rejects.toThrow('`never`');
    expect((await checkpoints().get(id)).status).toBe('candidate');
  });

  it('promotes, rolls back step by step and tells whoever listens', async () => {
    const heard: (string | null)[] = [];
    const notifications = new Notifications(url());
    notifications.listen(channels.checkpointPromoted, (payload) => void heard.push(payload));
    notifications.start();
    await vi.waitFor(() => expect(heard).toEqual([null]));

    const first = await passedCheckpoint();
    const second = await passedCheckpoint(first.id);
    await checkpoints().promote(first.id, 'trainer', 'gate passed');
    await checkpoints().promote(second.id, 'trainer', 'gate passed');
    await expect(checkpoints().promote(second.id, 'ada', 'again')).rejects.toThrow(ConflictError);
    expect((await checkpoints().live()).checkpoint).toMatchObject({ id: second.id, status: 'live' });
    expect(await checkpoints().rollbackTarget()).toEqual({ available: true, checkpointId: first.id });
    const back = await checkpoints().promote(first.id, 'ada', 'rollback');
    expect(back).toMatchObject({ checkpointId: first.id, previousCheckpointId: second.id });
    expect(await checkpoints().rollbackTarget()).toEqual({ available: true, checkpointId: null });
    await checkpoints().promote(null, 'ada', 'rollback');
    expect((await checkpoints().live()).checkpoint).toBeNull();
    await vi.waitFor(() => expect(heard).toEqual([null, first.id, second.id, first.id, 'base']));
    const listed = await checkpoints().list(2);
    expect(listed.map((one) => [one.id, one.status])).toEqual([
      [second.id, 'retired'],
      [first.id, 'retired'],
    ]);
    expect(listed[0].promotedAt).toBeInstanceOf(Date);
    await notifications.close();
  });

  it('promotes on terms: in place of what it was measured against, over the base weights that serve', async () => {
    const [first, second] = [await passedCheckpoint(), await passedCheckpoint()];
    await checkpoints().promote(first.id, 'trainer', 'gate passed', { expectedLive: null, baseDigest: 'base' });
    const late = checkpoints().promote(second.id, 'trainer', 'gate passed', { expectedLive: null });
    await expect(late).rejects.toMatchObject({ code: LIVE_HAS_CHANGED });
    const foreign = checkpoints().promote(second.id, 'ada', 'by hand', { baseDigest: 'another base' });
    await expect(foreign).rejects.toThrow('other base weights');
    expect((await checkpoints().get(second.id)).status).toBe('candidate');
    await checkpoints().promote(null, 'ada', 'back', { expectedLive: first.id, baseDigest: 'another base' });
  });

  it('has one live checkpoint however many promotions run at once', async () => {
    const candidates = await Promise.all([1, 2, 3, 4].map(() => passedCheckpoint()));
    await Promise.all(candidates.map(({ id }) => checkpoints().promote(id, 'trainer', 'race')));
    const live = (await checkpoints().list(100)).filter((checkpoint) => checkpoint.status === 'live');
    expect(live).toHaveLength(1);
    expect((await checkpoints().promotions(1))[0].checkpointId).toBe(live[0].id);
    expect(await checkpoints().findByWeightsDigest(live[0].weightsDigest)).toMatchObject({ id: live[0].id });
  });
});
