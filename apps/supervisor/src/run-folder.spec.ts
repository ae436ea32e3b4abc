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
  const impatient = { runningMs: 0, stoppingMs: 5_000 };

  it('is held by one supervisor at a time', async () => {
    await new RunFolder(dataDir).lock();
    await expect(new RunFolder(dataDir).lock(impatient)).rejects.toThrow(`process ${process.pid}`);
    new RunFolder(dataDir).unlock();
    await new RunFolder(dataDir).lock(impatient);
  });

  it('is waited for while its holder is stopping', async () => {
    const holder = new RunFolder(dataDir);
    await holder.lock();
    holder.markStopping();
    setTimeout(() => holder.unlock(), 300);
    await new RunFolder(dataDir).lock(impatient);
    expect(holder.recorded('supervisor')).toMatchObject({ pid: process.pid, stopping: false });
  });

  it('is taken from a supervisor that is dead, also when its number belongs to another process now', async () => {
    const run = new RunFolder(dataDir);
    for (const dead of [`${process.pid}\nanother time\n`, '4194999\n1\n', '']) {
      writeFileSync(lockFile(), dead);
      await run.lock(impatient);
      expect(run.recorded('supervisor')).toMatchObject(identify(process.pid)!);
      run.unlock();
    }
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
