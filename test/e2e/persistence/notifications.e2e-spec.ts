import { Notifications } from '@attune/persistence';
import { createId } from '@attune/platform';
import { describe, expect, it, vi } from 'vitest';
import { useTestDatabase } from '../../support/use-database.js';

const { db, url } = useTestDatabase();

describe('notifications', () => {
  it('come again after the connection was cut, with a call to read everything', async () => {
    const heard: (string | null)[] = [];
    const notifications = new Notifications(url());
    notifications.listen('attune_test', (payload) => void heard.push(payload));
    notifications.start();
    await vi.waitFor(() => expect(heard).toEqual([null]));
    await db().query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'attune-listen'`);
    await vi.waitFor(() => expect(heard).toEqual([null, null]), { timeout: 10_000 });
    const id = createId('job');
    await db().query('select pg_notify($1, $2)', ['attune_test', id]);
    await vi.waitFor(() => expect(heard).toEqual([null, null, id]));
    await notifications.close();
  });
});
