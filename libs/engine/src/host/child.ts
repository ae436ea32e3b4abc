import { type ChildProcess, fork } from 'node:child_process';
import type { EngineCommand, EngineFailure, EngineMessage, EngineSetupWire, EngineStatsWire } from '@attune/contracts';
import { messageOf, UnavailableError } from '@attune/platform';
import { compiledFile } from '../compiled-file.js';
import { fromFailure } from '../failures.js';
import { readMessage } from './protocol.js';

export interface ChildOptions {
  readonly setup: EngineSetupWire;
  /** A child that says nothing for this long is taken to hang, and killed. */
  readonly heartbeatTimeoutMs: number;
  onEvents(events: Extract<EngineMessage, { type: 'events' }>['events']): void;
  /** Called once, when the process is gone. */
  onExit(reason: string): void;
}

const PINGS_PER_TIMEOUT = 10;

type Call = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };
type CallCommand = Extract<EngineCommand, { callId: number }>;
type WithoutCallId<T> = T extends unknown ? Omit<T, 'callId'> : never;

/** One life of the engine process: from fork to exit. */
export class EngineChild {
  private readonly process: ChildProcess;
  private readonly calls = new Map<number, Call>();
  /** The engine's first statistics. @throws AppError why it could not load its model, UnavailableError when it died */
  readonly ready: Promise<EngineStatsWire>;
  private settleReady!: { resolve: (stats: EngineStatsWire) => void; reject: (error: Error) => void };
  private nextCallId = 0;
  private lastHeard = performance.now();
  private heartbeat: NodeJS.Timeout | undefined;
  private exited = false;
  private cause: string | undefined;

  constructor(private readonly options: ChildOptions) {
    this.process = fork(compiledFile(import.meta.url, './main.js'), {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process.on('message', (raw) => this.receive(raw));
    this.process.once('error', (error) => this.gone(messageOf(error)));
    this.process.once('exit', (code, signal) => this.gone(signal ? `signal ${signal}` : `exit code ${code}`));
    this.ready = new Promise((resolve, reject) => (this.settleReady = { resolve, reject }));
    this.ready.catch(() => {}); // whoever awaits it hears of a failure; nobody has to
    this.send({ type: 'setup', setup: options.setup });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get alive(): boolean {
    return !this.exited;
  }

  send(command: EngineCommand): void {
    if (!this.exited && this.process.connected) this.process.send(command, () => {}); // a failed send is followed by exit
  }

  call(command: WithoutCallId<CallCommand>): Promise<unknown> {
    if (this.exited)
      return Promise.reject(new UnavailableError('the engine process is not running; try again shortly'));
    const callId = this.nextCallId++;
    return new Promise((resolve, reject) => {
      this.calls.set(callId, { resolve, reject });
      this.send({ ...command, callId } as CallCommand);
    });
  }

  /** Ends the process: politely first, by force after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    if (this.exited) return;
    const exit = new Promise<void>((resolve) => this.process.once('exit', () => resolve()));
    this.send({ type: 'close' });
    const force = setTimeout(() => this.kill('it did not close in time'), graceMs);
    await exit;
    clearTimeout(force);
  }

  kill(cause: string): void {
    this.cause = cause;
    this.process.kill('SIGKILL');
  }

  private receive(raw: unknown): void {
    this.lastHeard = performance.now();
    let message: EngineMessage;
    try {
      message = readMessage(raw);
    } catch (error) {
      return this.kill(messageOf(error));
    }
    this.dispatch(message);
  }

  private dispatch(message: EngineMessage): void {
    switch (message.type) {
      case 'ready':
        this.watch();
        return this.settleReady.resolve(message.stats);
      case 'setupFailed':
        this.settleReady.reject(fromFailure(message.failure));
        return this.kill(message.failure.message);
      case 'events':
        return this.options.onEvents(message.events);
      case 'reply':
        return this.takeCall(message.callId)?.resolve(message.value);
      case 'callFailed':
        return this.takeCall(message.callId)?.reject(fromFailure(message.failure satisfies EngineFailure));
      case 'pong':
    }
  }

  private takeCall(callId: number): Call | undefined {
    const call = this.calls.get(callId);
    this.calls.delete(callId);
    return call;
  }

  private watch(): void {
    const { heartbeatTimeoutMs } = this.options;
    this.heartbeat = setInterval(() => {
      if (performance.now() - this.lastHeard > heartbeatTimeoutMs) this.kill('it stopped answering');
      else this.send({ type: 'ping' });
    }, heartbeatTimeoutMs / PINGS_PER_TIMEOUT);
    this.heartbeat.unref();
  }

  private gone(how: string): void {
    if (this.exited) return;
    this.exited = true;
    clearInterval(this.heartbeat);
    const reason = `the engine process ended (${this.cause ?? how})`;
    const error = new UnavailableError(`${reason}; try again shortly`, { code: 'engine_failed' });
    this.settleReady.reject(error);
    for (const { reject } of this.calls.values()) reject(error);
    this.calls.clear();
    this.options.onExit(reason);
  }
}
