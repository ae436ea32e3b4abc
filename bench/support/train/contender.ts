import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ALPHA, RANK, type TrainCase, trainModels } from './case.js';

/** What a contender answers to every call: how long it took, and the most memory it has had so far. */
export interface Answer {
  readonly ms: number;
  /** Processor time of all its threads, which other programs on the machine hardly change. */
  readonly processorMs: number;
  readonly peakMb: number;
}

/** A training process that is given a case and then told how many steps to take. */
export class Contender {
  private readonly lines: AsyncIterator<string>;

  private constructor(private readonly child: ChildProcess) {
    this.lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async ours(one: TrainCase, threads: number): Promise<Contender> {
    const worker = fileURLToPath(new URL('./worker.js', import.meta.url));
    const made = new Contender(spawn(process.execPath, [worker], { stdio: ['pipe', 'pipe', 'inherit'] }));
    await made.call({ setup: one, threads });
    return made;
  }

  /** @param python an interpreter that has PyTorch */
  static async torch(python: string, one: TrainCase, threads: number, compiled: boolean): Promise<Contender> {
    // Compiled code runs from dist/, the script lies beside the sources.
    const script = fileURLToPath(new URL('../../../support/train/torch_train.py', import.meta.url));
    const made = new Contender(spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] }));
    await made.call({ setup: one, config: trainModels[one.model], threads, compiled, rank: RANK, alpha: ALPHA });
    return made;
  }

  get pid(): number {
    return this.child.pid!;
  }

  steps(count: number): Promise<Answer> {
    return this.call({ steps: count });
  }

  /** Samples `tokens` tokens behind each of so many prompts of the case's length. */
  generate(prompts: number, tokens: number): Promise<Answer> {
    return this.call({ generate: prompts, tokens });
  }

  close(): void {
    this.child.stdin!.end();
    this.child.kill();
  }

  private async call(message: object): Promise<Answer> {
    this.child.stdin!.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`the process ${this.child.spawnfile} ended without an answer; see its message above`);
    return JSON.parse(value) as Answer;
  }
}
