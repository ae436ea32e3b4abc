import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endLeftovers } from './leftovers.js';
import { identify, isRunning } from './process-identity.js';
import { RunFolder } from './run-folder.js';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'attune run-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const lockFile = () => path.join(dataDir, 'run', 'supervisor.pid');

/** A process group whose leader has one child; both run until they are killed. */
async function startGroup(code = '') {
  const child = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])`;
  const script = `${code}; const child = ${child}; console.log(child.pid); setInterval(() => {}, 1000)`;
  const leader = spawn(process.execPath, ['-e', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(leader.stdout, 'data');
  return { leader, identities: [identify(leader.pid!)!, identify(Number(line))!] };
}

describe('the lock of a data folder', () => {
  it('is held by one supervisor at a time', () => {
    new RunFolder(dataDir).lock();
    expect(() => new RunFolder(dataDir).lock()).toThrow(`process ${process.pid}`);
    new RunFolder(dataDir).unlock();
    new RunFolder(dataDir).lock();
  });

  it('is taken from a supervisor that is dead, also when its number belongs to another process now', () => {
    const run = new RunFolder(dataDir);
    writeFileSync(lockFile(), `${process.pid}\nanother time\n`);
    run.lock();
    expect(run.recorded('supervisor')).toEqual(identify(process.pid));
    writeFileSync(lockFile(), '4194999\n1\n');
    run.lock();
    expect(run.recorded('supervisor')).toEqual(identify(process.pid));
  });
});

describe('what a killed supervisor left behind', () => {
  it('is ended, the children of its children too', async () => {
    const run = new RunFolder(dataDir);
    const { leader, identities } = await startGroup();
    run.record('gateway', leader.pid!);
    expect(await endLeftovers(run, 5_000)).toBeGreaterThanOrEqual(1);
    expect(identities.map(isRunning)).not.toContain(true);
    expect(run.recorded('gateway')).toBeNull();
  });

  it.runIf(process.platform === 'linux')('is found when only a grandchild survived', async () => {
    const run = new RunFolder(dataDir);
    const { leader, identities } = await startGroup();
    run.record('gateway', leader.pid!);
    leader.kill('SIGKILL');
    await once(leader, 'exit');
    expect(isRunning(identities[1])).toBe(true);
    expect(await endLeftovers(run, 5_000)).toBe(1);
    expect(isRunning(identities[1])).toBe(false);
  });

  it('is killed when it does not listen', async () => {
    const run = new RunFolder(dataDir);
    const { leader, identities } = await startGroup(`process.on('SIGTERM', () => {})`);
    run.record('trainer', leader.pid!);
    await endLeftovers(run, 300);
    expect(identities.map(isRunning)).not.toContain(true);
  });

  it('is not confused with another process of the same number', async () => {
    const run = new RunFolder(dataDir);
    const { leader, identities } = await startGroup();
    writeFileSync(path.join(dataDir, 'run', 'gateway.pid'), `${leader.pid}\nanother time\n`);
    expect(await endLeftovers(run, 300)).toBe(0);
    expect(identities.map(isRunning)).toEqual([true, true]);
    process.kill(-leader.pid!, 'SIGKILL');
  });
});
