import type { DatasetRowView, TuningEventView, TuningJobView, TuningMetricView } from '@attune/contracts';
import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { callApi, callList } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';
import { isActive } from '../job-status.js';

/** How often a running job is asked for news. */
export const POLL_MS = 1500;
const IDLE_POLL_MS = 10_000;

const jobPath = (id: string) => `/api/tuning/jobs/${encodeURIComponent(id)}`;

/** GET /api/tuning/jobs */
export function jobsQuery() {
  return queryOptions({
    queryKey: queryKeys.jobs,
    queryFn: ({ signal }) => callList<TuningJobView>('/api/tuning/jobs', { signal }),
    refetchInterval: ({ state: { data } }) => (data?.some((job) => isActive(job.status)) ? POLL_MS : IDLE_POLL_MS),
  });
}

/** GET /api/tuning/jobs/{id} */
export function jobQuery(id: string) {
  return queryOptions({
    queryKey: queryKeys.job(id),
    queryFn: ({ signal }) => callApi<TuningJobView>(jobPath(id), { signal }),
    refetchInterval: ({ state: { data } }) => (data === undefined || isActive(data.status) ? POLL_MS : false),
  });
}

/** GET /api/tuning/jobs/{id}/metrics: all rows so far; each poll asks only for those after the last one known. */
export function metricsQuery(queryClient: QueryClient, id: string, active: boolean) {
  return rowsAfter<TuningMetricView>(queryClient, queryKeys.jobMetrics(id), `${jobPath(id)}/metrics`, active);
}

/** GET /api/tuning/jobs/{id}/events, likewise. */
export function eventsQuery(queryClient: QueryClient, id: string, active: boolean) {
  return rowsAfter<TuningEventView>(queryClient, queryKeys.jobEvents(id), `${jobPath(id)}/events`, active);
}

function rowsAfter<T extends { seq: number }>(
  queryClient: QueryClient,
  queryKey: readonly unknown[],
  path: string,
  active: boolean,
) {
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }): Promise<T[]> => {
      const known = queryClient.getQueryData<T[]>(queryKey) ?? [];
      const news = await callList<T>(`${path}?after=${known.at(-1)?.seq ?? 0}`, { signal });
      return news.length === 0 ? known : [...known, ...news];
    },
    structuralSharing: false,
    refetchInterval: active ? POLL_MS : false,
  });
}

/** GET /api/tuning/jobs/{id}/rows */
export function rowsQuery(id: string) {
  return queryOptions({
    queryKey: queryKeys.jobRows(id),
    queryFn: ({ signal }) => callList<DatasetRowView>(`${jobPath(id)}/rows`, { signal }),
  });
}

/** What POST /api/tuning/jobs takes; the gateway fills in what is left out. */
export interface NewJob {
  config: object;
  note?: string;
}

/** POST /api/tuning/jobs */
export function startJob(job: NewJob): Promise<TuningJobView> {
  return callApi('/api/tuning/jobs', { method: 'POST', body: job });
}

/** POST /api/tuning/jobs/{id}/cancel */
export const cancelJob = (id: string): Promise<TuningJobView> => post(`${jobPath(id)}/cancel`);

/** POST /api/tuning/jobs/{id}/pause: its state is kept, and the queue is free for another job. */
export const pauseJob = (id: string): Promise<TuningJobView> => post(`${jobPath(id)}/pause`);

/** POST /api/tuning/jobs/{id}/resume */
export const resumeJob = (id: string): Promise<TuningJobView> => post(`${jobPath(id)}/resume`);

const post = (path: string): Promise<TuningJobView> => callApi(path, { method: 'POST', body: {} });
