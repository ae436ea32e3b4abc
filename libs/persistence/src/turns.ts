import type { DataSource, EntityManager } from 'typeorm';

/** Lets a few at a time do something; the others wait, first come first served. */
export class Turns {
  private readonly waiting: (() => void)[] = [];
  private free: number;

  constructor(atOnce: number) {
    this.free = atOnce;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      // A turn that is handed on is never free.
      if (next) next();
      else this.free += 1;
    }
  }
}

const turns = new WeakMap<DataSource, Turns>();

/** The turns of those who write files: however many people upload, three of four connections stay with the others. */
export function fileTurns(db: DataSource): Turns {
  const { poolSize = 10 } = db.options as { poolSize?: number };
  const known = turns.get(db) ?? new Turns(Math.max(1, Math.floor(poolSize / 4)));
  turns.set(db, known);
  return known;
}

/** Statements that take their turn one by one, so that a connection is held only while one of them runs. */
export function inFileTurns(db: DataSource): Pick<EntityManager, 'query'> {
  return { query: (sql, parameters) => fileTurns(db).take(() => db.query(sql, parameters)) };
}
