import type { ErrorBody, ListBody } from '@attune/contracts';
import { readApiKey, writeApiKey } from './api-key.js';

/** What the server said went wrong; `message` is a sentence meant for people. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null = null,
    readonly requestId: string | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

export interface ApiOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Sent as JSON, or as it is when it is FormData. */
  body?: unknown;
  signal?: AbortSignal;
  /** Overrides the key of this browser, to try one out. */
  apiKey?: string;
}

/** One JSON call. @throws ApiError with the server's sentence. */
export async function callApi<T>(path: string, options: ApiOptions = {}): Promise<T> {
  const response = await fetchApi(path, options);
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** The rows of a list. */
export async function callList<T>(path: string, options: ApiOptions = {}): Promise<T[]> {
  return (await callApi<ListBody<T>>(path, options)).data;
}

/** A call whose body the caller reads, for streams. @throws ApiError when the status is not 2xx or nothing answered. */
export async function fetchApi(path: string, options: ApiOptions): Promise<Response> {
  const response = await send(path, options);
  if (response.ok) return response;
  const error = await readError(response);
  // A key that stopped working signs this browser out; a key being tried out does not.
  if (response.status === 401 && options.apiKey === undefined) writeApiKey(null);
  throw error;
}

async function send(path: string, options: ApiOptions): Promise<Response> {
  const key = options.apiKey ?? readApiKey();
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const isForm = options.body instanceof FormData;
  if (options.body !== undefined && !isForm) headers['content-type'] = 'application/json';
  try {
    return await fetch(path, {
      method: options.method ?? 'GET',
      headers,
      body: isForm ? (options.body as FormData) : options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError('The gateway cannot be reached. Check that it is running and try again.', 0, 'unreachable');
  }
}

async function readError(response: Response): Promise<ApiError> {
  const requestId = response.headers.get('x-request-id');
  const body = (await response.json().catch(() => null)) as Partial<ErrorBody> | null;
  const message = body?.error?.message ?? `The gateway answered ${response.status} without saying why.`;
  return new ApiError(message, response.status, body?.error?.code ?? null, requestId);
}

/** The sentence to show for anything thrown. */
export function errorSentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
