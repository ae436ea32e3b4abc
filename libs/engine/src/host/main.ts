// Entry point of the engine process: forked by `EngineHost`, speaks the engine protocol over its channel, and ends with it.
import type { EngineCommand, EngineEventWire, EngineMessage, EngineSetupWire } from '@attune/contracts';
import { InternalError } from '@attune/platform';
import { Engine } from '../engine.js';
import { toFailure } from '../failures.js';
import { readCommand } from './protocol.js';

let engine: Engine | undefined;
let outbox: [string, EngineEventWire][] = [];

process.on('message', (raw) => void handle(readCommand(raw)));
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; the gateway still drains its answers and closes us afterwards.
process.on('SIGINT', () => {});

async function handle(command: EngineCommand): Promise<void> {
  switch (command.type) {
    case 'setup':
      return setUp(command.setup);
    case 'generate':
      return generate(command.request);
    case 'cancel':
      return running().cancel(command.id);
    case 'loadAdapter':
      return reply(command.callId, () => running().loadAdapter(command.folder));
    case 'setLive':
      return reply(command.callId, () => running().setLive(command.digest));
    case 'unloadAdapter':
      return reply(command.callId, () => running().unloadAdapter(command.digest));
    case 'checkStructure':
      return reply(command.callId, () => running().checkStructure(command.structure));
    case 'embed':
      return reply(command.callId, () => running().embed(command.texts));
    case 'stats':
      return reply(command.callId, () => running().stats());
    case 'ping':
      return send({ type: 'pong' });
    case 'close':
      await engine?.close();
      flush();
      process.disconnect();
  }
}

async function setUp(setup: EngineSetupWire): Promise<void> {
  try {
    engine = await Engine.load({ ...setup, blocking: true, onStep: flush });
    send({ type: 'ready', stats: { ...(await engine.stats()), adapters: [] } });
  } catch (error) {
    send({ type: 'setupFailed', failure: toFailure(error) });
  }
}

function generate(request: Parameters<Engine['submit']>[0]): void {
  running().submit(request, (event) => {
    outbox.push([request.id, event as EngineEventWire]);
    // Said before the run: should it crash the process, the gateway knows which requests not to send again.
    if (event.type === 'started') flush();
  });
  flush(); // rejected at once: no step would send it
}

async function reply(callId: number, call: () => Promise<unknown>): Promise<void> {
  try {
    send({ type: 'reply', callId, value: await call() });
  } catch (error) {
    send({ type: 'callFailed', callId, failure: toFailure(error) });
  }
}

/** All events of a step in one message. */
function flush(): void {
  if (outbox.length === 0) return;
  const events = outbox;
  outbox = [];
  send({ type: 'events', events });
}

function send(message: EngineMessage): void {
  process.send?.(message);
}

function running(): Engine {
  if (!engine) throw new InternalError('the engine process got a command before its model was loaded');
  return engine;
}
