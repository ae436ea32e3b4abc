import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HubFile {
  readonly content: Buffer;
  /** Listed with a sha256, as the hub does for large files. */
  readonly lfs?: boolean;
}

/** What the hub does wrong; tests change it while the server runs. */
export interface HubFaults {
  /** Closes the connection after this many bytes of a file, once for each entry. */
  cuts: { path: string; afterBytes: number }[];
  /** Answers the next requests for a file with this status. */
  statuses: { path: string; status: number }[];
  /** Changes one byte of these files on the way. */
  corrupted: Set<string>;
  /** Sends whole files whatever Range says. */
  ignoresRange: boolean;
  /** Reading needs this token; `gated` answers 403 even with it. */
  requiredToken?: string;
  gated?: boolean;
}

export interface HubServer {
  readonly endpoint: string;
  readonly faults: HubFaults;
  /** `GET /path` and the Range header, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** A server that speaks the hub's paths for one model: the tree listing, and files with Range. */
export async function startHubServer(repo: string, files: ReadonlyMap<string, HubFile>): Promise<HubServer> {
  const faults: HubFaults = { cuts: [], statuses: [], corrupted: new Set(), ignoresRange: false };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    answer(repo, files, faults, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { endpoint, faults, requests, close };
}

function answer(
  repo: string,
  files: ReadonlyMap<string, HubFile>,
  faults: HubFaults,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname } = new URL(request.url ?? '/', 'http://hub');
  const token = request.headers.authorization?.replace('Bearer ', '');
  if (faults.requiredToken && token !== faults.requiredToken) return refuse(response, 401, 'RepoNotFound');
  if (pathname === `/api/models/${repo}/tree/main`) return list(files, response);
  const [, path] = new RegExp(`^/${repo}/resolve/main/(.+)$`).exec(pathname) ?? [];
  const file = path === undefined ? undefined : files.get(path);
  if (!path || !file) return refuse(response, 404, pathname.startsWith(`/${repo}/`) ? 'EntryNotFound' : 'RepoNotFound');
  if (faults.gated) return refuse(response, 403, 'GatedRepo');
  const index = faults.statuses.findIndex((fault) => fault.path === path);
  if (index >= 0) return refuse(response, faults.statuses.splice(index, 1)[0].status, 'Fault');
  send(path, file, faults, request, response);
}

function list(files: ReadonlyMap<string, HubFile>, response: ServerResponse): void {
  const entries = [...files].map(([path, { content, lfs }]) => ({
    type: 'file',
    path,
    size: content.length,
    oid: createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex'),
    ...(lfs && {
      lfs: { oid: createHash('sha256').update(content).digest('hex'), size: content.length, pointerSize: 134 },
    }),
  }));
  response.setHeader('content-type', 'application/json').end(JSON.stringify(entries));
}

function send(
  path: string,
  { content }: HubFile,
  faults: HubFaults,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const start = faults.ignoresRange ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const body = Buffer.from(content.subarray(start));
  if (faults.corrupted.has(path)) body[0] ^= 0xff;
  const range = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` };
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length, ...(start > 0 && range) });
  const cut = faults.cuts.findIndex((fault) => fault.path === path);
  if (cut < 0) return void response.end(body);
  const { afterBytes } = faults.cuts.splice(cut, 1)[0];
  // A cut throws away what the client has received but not yet read, so it gets a moment to read.
  response.write(body.subarray(0, afterBytes), () => setTimeout(() => response.socket?.end(), 250));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-error-code': code });
  response.end(JSON.stringify({ error: code }));
}
