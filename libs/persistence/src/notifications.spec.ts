import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Notifications } from './notifications.js';

it('end while a connection is being made, also to a server that says nothing', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined))).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const notifications = new Notifications(`postgres://a:b@127.0.0.1:${(server.address() as AddressInfo).port}/c`);
  notifications.listen('anything', () => undefined);
  notifications.start();
  await once(server, 'connection');
  const started = performance.now();
  await notifications.close();
  expect(performance.now() - started).toBeLessThan(5_000);
  for (const socket of sockets) socket.destroy();
  server.close();
});
