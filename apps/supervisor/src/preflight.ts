import { accessSync, constants, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { InvalidRequestError, messageOf, UnavailableError } from '@attune/platform';

/** What the database, a checkpoint and the logs of a day need at least. */
const LEAST_FREE_BYTES = 300_000_000;

/**
 * Makes the data folder and looks whether it can be worked with.
 * @throws InvalidRequestError, UnavailableError with what is wrong and what to do
 */
export function checkDataFolder(dataDir: string): void {
  const probe = path.join(dataDir, `.probe-${process.pid}`);
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    writeFileSync(probe, 'x'.repeat(65_536));
    rmSync(probe);
  } catch (error) {
    throw folderProblem(dataDir, error);
  }
  const { bavail, bsize } = statfsSync(dataDir);
  if (bavail * bsize < LEAST_FREE_BYTES) throw diskFull(dataDir, bavail * bsize);
}

/**
 * Looks whether the gateway will get its port. 0 asks for any free one.
 * @returns the port to use
 * @throws UnavailableError, InvalidRequestError naming the port and the setting
 */
export function checkPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => reject(portProblem(host, port, error)));
    server.listen({ host, port, exclusive: true }, () => {
      const bound = (server.address() as AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}

function folderProblem(dataDir: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(dataDir, 0);
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return new InvalidRequestError(`DATA_DIR=${dataDir} is not a folder; name a folder that may be written to.`);
  }
  return new InvalidRequestError(
    `The data folder ${dataDir} cannot be written to (${code ?? messageOf(error)}); change its permissions or set DATA_DIR to another folder.`,
  );
}

function diskFull(dataDir: string, freeBytes: number): Error {
  const megabytes = (bytes: number) => `${Math.floor(bytes / 1e6)} MB`;
  return new UnavailableError(
    `The disk of the data folder ${dataDir} has ${megabytes(freeBytes)} left and at least ${megabytes(LEAST_FREE_BYTES)} are needed; free some, or set DATA_DIR to a folder on another disk.`,
  );
}

function portProblem(host: string, port: number, error: NodeJS.ErrnoException): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new UnavailableError(
        `Port ${port} is used by another program; stop that one, or choose another port: PORT=${port + 1} npm start`,
      );
    case 'EACCES':
      return new UnavailableError(
        `Port ${port} may not be opened by this user (ports below 1024 are for root); choose another: PORT=8080 npm start`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new InvalidRequestError(`HOST=${host} is no address of this machine; use 0.0.0.0 or 127.0.0.1.`);
    default:
      return new UnavailableError(`Port ${port} on ${host} cannot be opened: ${error.message}`);
  }
}
