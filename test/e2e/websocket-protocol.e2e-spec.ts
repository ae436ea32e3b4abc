import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { noModel, startTestGateway, testModel, type TestGateway } from '../support/gateway.js';
import { opcodes, RawWebSocket } from '../support/raw-socket.js';

const { continuation, text, binary, close, ping, pong } = opcodes;
const LIMIT = 20_000;
/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const PROTOCOL_ERROR = 1002;
const NOT_UTF8 = 1007;
const TOO_BIG = 1009;

const closing = (code: number, reason = '') => {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return Buffer.concat([payload, Buffer.from(reason)]);
};

describe.skipIf(!testModel)(`RFC 6455 (${testModel ? 'against the real gateway, byte by byte' : noModel})`, () => {
  let gateway: TestGateway;
  let socket: RawWebSocket;
  beforeAll(async () => {
    gateway = await startTestGateway({ env: { BODY_LIMIT_BYTES: `${LIMIT}`, MAX_SOCKETS_PER_KEY: '3' } });
  });
  afterAll(() => gateway?.close());
  afterEach(() => socket?.destroy());

  const open = async (path = '/v1/responses') => {
    socket = await RawWebSocket.open(gateway.port, path, gateway.userKey);
    return socket;
  };
  const unknown = JSON.stringify({ type: 'unheard.of', pad: 'ä'.repeat(50) });
  /** The connection is still good: it answers an unknown event with an error event. */
  async function expectAlive(): Promise<void> {
    socket.send(text, unknown);
    expect(await socket.nextEvent()).toMatchObject({ type: 'error', error: { code: 'unknown_event' } });
  }

  it('puts fragments together, whatever comes between them and wherever they are cut', async () => {
    await open();
    const bytes = Buffer.from(unknown);
    // Between the two bytes of an ä.
    const middle = bytes.indexOf(Buffer.from('ä')) + 1;
    socket.send(text, bytes.subarray(0, 5), { fin: false });
    socket.send(continuation, bytes.subarray(5, middle), { fin: false });
    socket.send(ping, 'hello');
    expect(await socket.next()).toMatchObject({ opcode: pong, payload: Buffer.from('hello') });
    socket.send(continuation, '', { fin: false });
    socket.send(continuation, bytes.subarray(middle));
    expect(await socket.nextEvent()).toMatchObject({ error: { code: 'unknown_event' } });
    await expectAlive();
  });

  it('answers pings with their own payload, the largest too, and lets pongs be', async () => {
    await open();
    for (const payload of ['', 'x', 'y'.repeat(125)]) {
      socket.send(ping, payload);
      expect(await socket.next()).toMatchObject({ opcode: pong, fin: true, payload: Buffer.from(payload) });
    }
    socket.send(pong, 'nobody asked');
    await expectAlive();
  });

  it.each([
    ['normally', closing(1000, 'bye'), 1000],
    ['going away', closing(1001), 1001],
    ['for a reason of its own', closing(4321), 4321],
  ])('echoes a close %s', async (_, payload, code) => {
    await open();
    socket.send(close, payload);
    expect(await socket.closeCode()).toBe(code);
    expect(await socket.next()).toBeUndefined();
  });

  it('echoes a close that says nothing', async () => {
    await open('/v1/realtime');
    await socket.nextEvent();
    socket.send(close);
    expect(await socket.closeCode()).toBeUndefined();
    expect(await socket.next()).toBeUndefined();
  });

  const broken: [name: string, code: number, send: (socket: RawWebSocket) => void][] = [
    ['a frame that is not masked', PROTOCOL_ERROR, (to) => to.send(text, unknown, { mask: false })],
    ['reserved bits', PROTOCOL_ERROR, (to) => to.send(text, unknown, { reserved: 4 })],
    ['a reserved opcode', PROTOCOL_ERROR, (to) => to.send(3, 'x')],
    ['a reserved control opcode', PROTOCOL_ERROR, (to) => to.send(11, 'x')],
    ['a continuation of nothing', PROTOCOL_ERROR, (to) => to.send(continuation, 'x')],
    [
      'a message inside a message',
      PROTOCOL_ERROR,
      (to) => {
        to.send(text, '{', { fin: false });
        to.send(text, '}');
      },
    ],
    ['a fragmented ping', PROTOCOL_ERROR, (to) => to.send(ping, 'x', { fin: false })],
    ['a ping of 126 bytes', PROTOCOL_ERROR, (to) => to.send(ping, 'x'.repeat(126))],
    ['a close of one byte', PROTOCOL_ERROR, (to) => to.send(close, 'x')],
    ['a close with a code nobody may send', PROTOCOL_ERROR, (to) => to.send(close, closing(1006))],
    ['a close with a code outside of all ranges', PROTOCOL_ERROR, (to) => to.send(close, closing(999))],
    ['a close whose reason is no UTF-8', NOT_UTF8, (to) => to.send(close, Buffer.concat([closing(1000), BAD_UTF8]))],
    ['text that is no UTF-8', NOT_UTF8, (to) => to.send(text, BAD_UTF8)],
    [
      'text that is no UTF-8, in fragments',
      NOT_UTF8,
      (to) => {
        to.send(text, Buffer.from('ä').subarray(0, 1), { fin: false });
        to.send(continuation, 'x');
      },
    ],
    ['a frame beyond BODY_LIMIT_BYTES', TOO_BIG, (to) => to.send(text, 'x'.repeat(LIMIT + 1))],
    [
      'fragments beyond BODY_LIMIT_BYTES',
      TOO_BIG,
      (to) => {
        to.send(text, 'x'.repeat(LIMIT), { fin: false });
        to.send(continuation, 'x');
      },
    ],
  ];
  it.each(broken)('closes after %s with %i', async (_, code, send) => {
    await open();
    send(socket);
    expect(await socket.closeCode()).toBe(code);
    expect(await socket.next()).toBeUndefined();
  });

  it('answers frames that are well-formed and make no sense, and stays open', async () => {
    await open();
    socket.send(binary, Buffer.from([1, 2, 3]));
    expect(await socket.nextEvent()).toMatchObject({ type: 'error', status: 400 });
    for (const nonsense of ['no json', '[]', '"x"', 'null', '{}', '{"type":1}', '']) {
      socket.send(text, nonsense);
      expect(await socket.nextEvent(), nonsense).toMatchObject({ type: 'error', status: 400 });
    }
    await expectAlive();
  });

  it('shakes hands with valid keys at known paths only', async () => {
    await expect(RawWebSocket.open(gateway.port, '/v1/responses', 'wrong')).rejects.toThrow('401');
    await expect(RawWebSocket.open(gateway.port, '/v1/nothing', gateway.userKey)).rejects.toThrow(/HTTP\/1.1 4|closed/);
  });

  it('shakes hands with so many sockets of a key at once', async () => {
    const sockets = ['/v1/responses', '/v1/realtime', '/v1/responses'].map((one) =>
      RawWebSocket.open(gateway.port, one, gateway.userKey),
    );
    const held = await Promise.all(sockets);
    await expect(open()).rejects.toThrow('429');
    const other = await RawWebSocket.open(gateway.port, '/v1/responses', gateway.adminKey);
    held[0]!.destroy();
    await expect.poll(() => open().then(expectAlive, String)).toBeUndefined();
    for (const one of [...held, other]) one.destroy();
  });

  it('takes a request in a frame a byte long each', async () => {
    await open();
    const request = { type: 'response.create', input: 'Once upon a time', max_output_tokens: 2 };
    const bytes = Buffer.from(JSON.stringify(request));
    bytes.forEach((_, index) =>
      socket.send(index === 0 ? text : continuation, bytes.subarray(index, index + 1), {
        fin: index === bytes.length - 1,
      }),
    );
    const types: string[] = [];
    while (!/completed|incomplete/.test(types.at(-1) ?? '')) types.push((await socket.nextEvent()).type);
    expect(types[0]).toBe('response.created');
  });
});

const BAD_UTF8 = Buffer.from([0xc3, 0x28]);
