import 'reflect-metadata';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Role } from '@attune/contracts';
import { AccountRepository, type DataSource } from '@attune/persistence';
import { createLogger, loadConfig, type Config } from '@attune/platform';
import OpenAI from 'openai';
import { createGateway, type Gateway } from '../../apps/gateway/src/create-gateway.js';
import { loadModel, type LoadedModel } from '../../apps/gateway/src/inference/load-model.js';
import { createTestDatabase, type TestDatabase } from './database.js';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const BUNDLED = path.join(repository, 'models/attune-mini');
const STORIES = path.join(repository, '../shared/data/weights/stories260K/hf');

/** The model specs run on: the bundled one, else a small public one beside the repository, else none. */
export const testModel: string | undefined = [BUNDLED, STORIES].find((folder) =>
  existsSync(path.join(folder, 'model.safetensors')),
);
/** Whether {@link testModel} follows instructions; the small public one only tells stories. */
export const modelChats = testModel === BUNDLED;
export const noModel = `no model in models/attune-mini nor in ../shared/data/weights`;

export interface TestGatewayOptions {
  /** A folder in Hugging Face layout; left out: {@link testModel}. */
  model?: string;
  /** Settings by environment name. */
  env?: Record<string, string>;
  /** The address the gateway reaches the database by, given its own; left out: directly. */
  through?(databaseUrl: string): string;
  /** No token ends an answer, so that every answer is as long as it may be, whatever the model would say. */
  endless?: boolean;
  /** Takes every log line, at the most talkative level. */
  logLines?: string[];
}

export interface ApiAnswer {
  status: number;
  /** Parsed JSON, or the text where it is none. Specs know which shape they asked for. */
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any;
}

export interface TestGateway {
  /** `http://127.0.0.1:<port>` */
  baseUrl: string;
  port: number;
  /** The served model's id. */
  model: string;
  adminKey: string;
  reviewerKey: string;
  userKey: string;
  /** The official client with the user's key. */
  openai: OpenAI;
  /** The official client with any key; it never retries, so that specs see every error. */
  client(apiKey: string): OpenAI;
  /** The JSON API with any key; `body` is sent as JSON. */
  api(apiKey: string, method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  databaseUrl: string;
  dataSource: DataSource;
  dataDir: string;
  config: Config;
  loaded: LoadedModel;
  gateway: Gateway;
  /** Another key for a user of this name, made if need be. */
  createKey(name: string, role: Role): Promise<string>;
  close(): Promise<void>;
}

/** The real gateway on a free port, over a fresh database, with a real engine process. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const database = await createTestDatabase();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'attune-gateway-'));
  const config = loadConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: options.through?.(database.url) ?? database.url,
    DATA_DIR: dataDir,
    MODEL: options.model ?? testModel ?? BUNDLED,
    ENGINE_THREADS: '1',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    RATE_LIMIT_PER_MINUTE: '100000',
    TUNING: 'manual',
    ...options.env,
  });
  const logger = options.logLines
    ? createLogger('gateway', 'trace', { write: (line: string) => void options.logLines!.push(line) })
    : createLogger('gateway', config.logging.logLevel);
  const loaded = await loadModel(config, logger);
  if (options.endless) Object.defineProperty(loaded.model.tokenizer, 'eosIds', { value: [] });
  const gateway = await createGateway(config, logger, loaded);
  const close = async () => {
    await gateway.close(1_000);
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { ...(await access(database, gateway)), config, loaded, gateway, dataDir, model: loaded.model.id, close };
}

async function access(database: TestDatabase, gateway: Gateway) {
  const accounts = new AccountRepository(database.dataSource);
  const createKey = async (name: string, role: Role) => {
    const user = await accounts.createUser({ name, role });
    return (await accounts.createKey({ userId: user.id, name: `key of ${name}` })).secret;
  };
  const baseUrl = `http://127.0.0.1:${gateway.port}`;
  const client = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${baseUrl}/v1`, maxRetries: 0 });
  const userKey = await createKey('Ursula', 'user');
  return {
    baseUrl,
    port: gateway.port,
    adminKey: await createKey('Ada', 'admin'),
    reviewerKey: await createKey('Rita', 'reviewer'),
    userKey,
    openai: client(userKey),
    client,
    createKey,
    api: (apiKey: string, method: string, place: string, body?: unknown) => call(baseUrl, apiKey, method, place, body),
    databaseUrl: database.url,
    dataSource: database.dataSource,
  };
}

async function call(
  baseUrl: string,
  apiKey: string,
  method: string,
  place: string,
  body?: unknown,
): Promise<ApiAnswer> {
  const response = await fetch(baseUrl + place, {
    method,
    headers: {
      ...(apiKey !== '' && { authorization: `Bearer ${apiKey}` }),
      ...(body !== undefined && !(body instanceof FormData) && { 'content-type': 'application/json' }),
    },
    body: body instanceof FormData ? body : body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: parsed(text) };
}

function parsed(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
