import { realpathSync } from 'node:fs';
import path from 'node:path';
import { loadConfig, messageOf } from '@attune/platform';
import { Reporter } from './reporter.js';
import { Supervisor } from './supervisor.js';

/** A terminal's Ctrl-C reaches this process twice, directly and through npm; only a later one means "now". */
const SAME_CTRL_C_MS = 1_000;

/**
 * Runs the product in the foreground until it is told to stop.
 * @param parentGone aborted when the process that started this one is gone, which stops it like SIGTERM
 * Exit status: 0 after Ctrl-C or SIGTERM, 1 when it cannot start or go on, 130 after a second Ctrl-C.
 */
export async function main(parameters: readonly string[], parentGone?: AbortSignal): Promise<void> {
  const reporter = new Reporter(process.stdout);
  // Somebody who reads the output may leave (`npm start | head`); the product goes on.
  process.stdout.on('error', () => undefined);
  try {
    const supervisor = createSupervisor(parameters, reporter);
    stopWhenTold(supervisor, reporter, parentGone);
    await supervisor.start().catch(async (error: unknown) => {
      if (!stopping) await giveUp(supervisor, reporter, messageOf(error));
    });
  } catch (error) {
    reporter.say(messageOf(error));
    process.exit(1);
  }
}

let stopping = false;

function createSupervisor(parameters: readonly string[], reporter: Reporter): Supervisor {
  const supervisor: Supervisor = new Supervisor({
    config: loadConfig(),
    reporter,
    root: path.resolve(import.meta.dirname, '../../..'),
    newAdminKey: parameters.includes('--new-admin-key'),
    onFatal: (sentence) => void giveUp(supervisor, reporter, sentence),
  });
  return supervisor;
}

async function giveUp(supervisor: Supervisor, reporter: Reporter, sentence: string): Promise<void> {
  stopping = true;
  reporter.say(`\n${sentence}`);
  await supervisor.stop();
  process.exit(1);
}

function stopWhenTold(supervisor: Supervisor, reporter: Reporter, parentGone?: AbortSignal): void {
  let toldAt = 0;
  const stop = async () => {
    stopping = true;
    toldAt = performance.now();
    reporter.say('\nStopping …  (Ctrl-C again stops at once)');
    await supervisor.stop();
    reporter.say('Stopped.');
    process.exit(0);
  };
  const stopAtOnce = async () => {
    reporter.say('Stopping at once.');
    await supervisor.kill();
    process.exit(130);
  };
  const onSignal = () => {
    if (!stopping) void stop();
    else if (performance.now() - toldAt > SAME_CTRL_C_MS) void stopAtOnce();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  parentGone?.addEventListener('abort', () => stopping || void stop());
}

if (realpathSync(process.argv[1]) === import.meta.filename) await main(process.argv.slice(2));
