import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';

const LARGEST_BYTES = 50_000_000;
const KEPT_LINES = 12;

/** Where a child's output goes: a file that is put aside once when it has grown too large. Remembers the last lines. */
export class LogFile {
  private size: number;
  private readonly recent: string[] = [];

  constructor(readonly file: string) {
    mkdirSync(path.dirname(file), { recursive: true });
    this.size = existsSync(file) ? statSync(file).size : 0;
  }

  /** A full disk must not take the supervisor down with it: what cannot be written is dropped. */
  write(chunk: Buffer): void {
    this.remember(chunk.toString());
    try {
      if (this.size > LARGEST_BYTES) this.putAside();
      appendFileSync(this.file, chunk);
      this.size += chunk.length;
    } catch {
      this.size = 0;
    }
  }

  /** The last lines that were written, oldest first. */
  lastLines(): readonly string[] {
    return this.recent;
  }

  private remember(text: string): void {
    this.recent.push(...text.split('\n').filter((line) => line.trim()));
    this.recent.splice(0, this.recent.length - KEPT_LINES);
  }

  private putAside(): void {
    renameSync(this.file, `${this.file}.1`);
    this.size = 0;
  }
}
