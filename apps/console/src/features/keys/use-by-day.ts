import type { KeyUsageView } from '@attune/contracts';

export interface DayOfUse {
  /** YYYY-MM-DD, UTC. */
  day: string;
  requests: number;
  /** Of prompts, read from the cache included. */
  promptTokens: number;
  cachedTokens: number;
  answerTokens: number;
}

const MS_A_DAY = 86_400_000;

/** A key's use, oldest day first, one entry for each of the last `numDays` days: also for those without a request. */
export function useByDay(
  rows: readonly KeyUsageView[],
  keyId: string,
  numDays: number,
  nowMs = Date.now(),
): DayOfUse[] {
  const used = new Map(rows.filter((row) => row.key_id === keyId).map((row) => [row.day, row]));
  return Array.from({ length: numDays }, (_, index) => {
    const day = new Date(nowMs - (numDays - 1 - index) * MS_A_DAY).toISOString().slice(0, 10);
    const row = used.get(day);
    return {
      day,
      requests: row?.num_requests ?? 0,
      promptTokens: row?.prompt_tokens ?? 0,
      cachedTokens: row?.cached_tokens ?? 0,
      answerTokens: row?.completion_tokens ?? 0,
    };
  });
}

export interface Totals {
  requests: number;
  tokens: number;
}

export function totals(days: readonly DayOfUse[]): Totals {
  const sum = (of: (day: DayOfUse) => number) => days.reduce((all, day) => all + of(day), 0);
  return { requests: sum((day) => day.requests), tokens: sum((day) => day.promptTokens + day.answerTokens) };
}
