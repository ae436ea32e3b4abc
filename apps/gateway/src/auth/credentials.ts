import type { IncomingHttpHeaders } from 'node:http';

/** OpenAI's browser clients cannot set headers on a socket and send the key as a subprotocol. */
const KEY_PROTOCOL = 'openai-insecure-api-key.';

/** The key of `Authorization: Bearer <key>`, or undefined. */
export function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
}

/** The key of a socket's handshake, by header or by subprotocol. */
export function socketKey(headers: IncomingHttpHeaders): string | undefined {
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const bySubprotocol = protocols.find((name) => name.startsWith(KEY_PROTOCOL))?.slice(KEY_PROTOCOL.length);
  return bearerOf(headers) ?? (bySubprotocol || undefined);
}

export interface FrontEndUser {
  id: string;
  name: string;
  conversationId?: string;
}

/** Who Open WebUI says it speaks for (ENABLE_FORWARD_USER_INFO_HEADERS), under names of ours. */
export function frontEndUser(headers: IncomingHttpHeaders): FrontEndUser | undefined {
  const id = one(headers['x-openwebui-user-id'])?.slice(0, 200);
  if (id === undefined) return undefined;
  const name = one(headers['x-openwebui-user-name']) ?? one(headers['x-openwebui-user-email']) ?? id;
  const chat = one(headers['x-openwebui-chat-id'])
    ?.replace(/[^A-Za-z0-9-]/g, '')
    .slice(0, 64);
  return { id, name: decoded(name).slice(0, 120), conversationId: chat ? `conv_${chat}` : undefined };
}

const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)?.trim() || undefined;

/** Newer versions percent-encode names, because headers carry no Unicode. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
