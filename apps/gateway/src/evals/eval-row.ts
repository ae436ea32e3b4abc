export interface EvalRow {
  item: Record<string, unknown>;
  /** An answer the data brings along. */
  sample?: Record<string, unknown>;
  /** What the row is made of, where that may be deleted while the run lasts; rows of a file go by their place. */
  key?: string;
}

/** A row that has been worked on. */
export interface DoneRow {
  ordinal: number;
  /** `id` of its item. */
  key: string | null;
}

/** The rows a run has still to work on, each with its place in the results. */
export function waitingRows(rows: readonly EvalRow[], done: readonly DoneRow[]): { row: EvalRow; ordinal: number }[] {
  const places = new Set(done.map(({ ordinal }) => ordinal));
  const keys = new Set(done.map(({ key }) => key));
  let free = 0;
  const nextFree = () => {
    while (places.has(free)) free += 1;
    return free++;
  };
  return rows.flatMap((row, place) => {
    if (row.key === undefined) return places.has(place) ? [] : [{ row, ordinal: place }];
    return keys.has(row.key) ? [] : [{ row, ordinal: nextFree() }];
  });
}
