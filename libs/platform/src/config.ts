import path from 'node:path';
import { z } from 'zod';
import { InvalidRequestError } from './errors.js';

/**
 * Every setting of the product: environment name -> schema with default and sentence.
 * `docs/configuration.md` is printed from this record, and `process.env` is read in this file only.
 */
const integer = (minimum: number, maximum: number) => z.coerce.number().int().min(minimum).max(maximum);
const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
const optionalText = z
  .string()
  .optional()
  .transform((text) => text?.trim() || undefined);

export const settings = {
  http: {
    PORT: integer(0, 65535).default(8080).describe('Port of the chat page, the console and the API.'),
    HOST: z.string().default('0.0.0.0').describe('Address to listen on.'),
    BODY_LIMIT_BYTES: integer(1024, 1e9)
      .default(4_000_000)
      .describe('Largest request body of the JSON API, and line of a JSON lines file.'),
    UPLOAD_LIMIT_BYTES: integer(1024, 1e10)
      .default(25_000_000)
      .describe('Largest document, file or part of a file sent at once.'),
    FILE_LIMIT_BYTES: integer(1024, 1e11)
      .default(512_000_000)
      .describe('Largest file put together from parts through /v1/uploads.'),
    RATE_LIMIT_PER_MINUTE: integer(1, 1e9)
      .default(600)
      .describe('Requests one API key may make in a minute at a gateway; several gateways count each for itself.'),
    MAX_CONCURRENT_PER_KEY: integer(1, 10_000)
      .default(32)
      .describe('Generations one API key may have running at a gateway.'),
    MAX_SOCKETS_PER_KEY: integer(1, 1_000_000)
      .default(1_000)
      .describe('WebSockets one API key may have open at a gateway, Responses and Realtime together.'),
    TRUST_USER_HEADERS: flag
      .default(false)
      .describe(
        'Whether X-OpenWebUI-User-Id and -Chat-Id headers name the user and the conversation; taken with keys of role admin only, and never on sockets, which speak for their own key.',
      ),
  },
  database: {
    DATABASE_URL: optionalText.describe(
      'A PostgreSQL to use instead of the embedded one (postgres://user:secret@host:port/name).',
    ),
    DATABASE_POOL_SIZE: integer(1, 1000).default(10).describe('Connections each process may hold.'),
  },
  storage: {
    DATA_DIR: z
      .string()
      .default('./data')
      .transform((folder) => path.resolve(folder))
      .describe('Folder of everything that must survive: database, checkpoints, downloaded models.'),
  },
  model: {
    MODEL: z
      .string()
      .default('bundled')
      .describe('`bundled`, a folder in Hugging Face layout, or a hub id such as HuggingFaceTB/SmolLM2-135M-Instruct.'),
    HF_TOKEN: optionalText.describe('Access token for gated models on the hub.'),
    HF_ENDPOINT: z.string().default('https://huggingface.co').describe('Hub to download models from.'),
    ENGINE_WEIGHTS: z
      .enum(['auto', 'fp32', 'int8', 'int4'])
      .default('fp32')
      .describe(
        'Format the weights are served in; auto measures once which is fastest at no noticeable loss. See docs/engine.md.',
      ),
    ENGINE_KV: z
      .enum(['fp32', 'int8'])
      .default('fp32')
      .describe('Format of the key-value cache; int8 takes a quarter of the memory and decodes long contexts faster.'),
    ENGINE_DEVICE: z
      .enum(['auto', 'cpu', 'webgpu', 'cuda'])
      .default('auto')
      .describe(
        'Where the model runs; auto takes a GPU that works and is worth it, else the CPU. See docs/devices.md.',
      ),
    ENGINE_THREADS: integer(0, 256)
      .default(0)
      .describe('Threads of the serving engine; 0 takes half the cores, at least 1 and at most 8.'),
    ENGINE_SLOTS: integer(1, 256).default(16).describe('Sequences decoded at once.'),
    ENGINE_MAX_CONTEXT: integer(0, 1_000_000)
      .default(0)
      .describe('Longest sequence in tokens; 0 takes the model’s own, at most 4096.'),
    ENGINE_MAX_ADAPTERS: integer(1, 1000)
      .default(8)
      .describe('Checkpoints kept in the engine, so that requests may name them; more are loaded in turns.'),
    ENGINE_MERGE_LIVE: flag
      .default(true)
      .describe(
        'Whether a live LoRA adapter is multiplied into a copy of fp32 weights, so that it costs no speed, where memory has room for the copy.',
      ),
    ENGINE_QUEUE_LIMIT: integer(1, 100_000)
      .default(256)
      .describe('Requests that may wait for a slot before 429 is answered.'),
    ENGINE_START_WITHIN_SECONDS: z.coerce
      .number()
      .min(0.001)
      .max(86_400)
      .default(60)
      .describe(
        'Longest a request may wait for the model to begin before 503 is answered; work in the background waits for as long as it takes.',
      ),
    SYSTEM_PROMPT: optionalText.describe('System message put before conversations that have none.'),
  },
  retrieval: {
    RETRIEVAL: z.enum(['auto', 'off']).default('auto').describe('Whether answers are grounded in uploaded documents.'),
    RETRIEVAL_PASSAGES: integer(1, 50).default(3).describe('Most passages put into a prompt.'),
    CHUNK_CHARACTERS: integer(100, 20_000)
      .default(200)
      .describe(
        'Length passages are cut to; the bundled model reads short ones best, larger models take 400 and more.',
      ),
    CHUNK_OVERLAP_CHARACTERS: integer(0, 5_000).default(20).describe('Characters neighbouring passages share.'),
  },
  tuning: {
    TUNING: z
      .enum(['auto', 'manual', 'off'])
      .default('auto')
      .describe('auto: threshold, schedule and button; manual: button only; off: no trainer process.'),
    TUNING_THRESHOLD: integer(1, 1e6)
      .default(50)
      .describe('New approved pieces of feedback that start a training job.'),
    TUNING_INTERVAL_HOURS: z.coerce
      .number()
      .min(0)
      .max(8760)
      .default(24)
      .describe(
        'Hours after which waiting feedback is trained on although the threshold is not reached; 0 turns the schedule off.',
      ),
    TUNING_MIN_ROWS: integer(2, 1e6).default(8).describe('Fewest approved pieces of feedback a job may start with.'),
    TUNING_AUTO_PROMOTE: flag.default(true).describe('Whether a checkpoint that passes the gate goes live by itself.'),
    TRAINER_THREADS: integer(0, 256).default(0).describe('Threads of the trainer; 0 takes half the cores, at least 1.'),
    TRAINER_DEVICE: z
      .enum(['auto', 'cpu', 'webgpu', 'cuda'])
      .default('auto')
      .describe(
        'Where weights are trained and scored; auto takes a GPU that works and is worth it, else the CPU. See docs/devices.md.',
      ),
    TRAINER_SAVE_SECONDS: z.coerce
      .number()
      .min(0.1)
      .max(3600)
      .default(5)
      .describe('Most seconds of training that a crash may cost; each save writes the adapter three times over.'),
    TRAINER_NICE: integer(0, 19)
      .default(19)
      .describe(
        'How far training stands back where it and serving want the same core; 19: it takes what is left, 0: not at all.',
      ),
    TRAINER_REST_SHARE: z.coerce
      .number()
      .min(0)
      .max(100)
      .default(0)
      .describe(
        'Longest rest after each training step while answers are being given, in lengths of that step; 0: training never rests, for where it stands back it is hardly noticed.',
      ),
    TRAINER_MEMORY_GB: z.coerce
      .number()
      .min(0)
      .max(100_000)
      .default(0)
      .describe(
        'Most memory a training job may need, in GB; one that needs more is refused before it starts. 0: no limit.',
      ),
    JUDGE_URL: optionalText.describe(
      'OpenAI-compatible server that judges answers for jobs with `ai_feedback.judge` = `endpoint`, e.g. http://localhost:11434/v1.',
    ),
    JUDGE_MODEL: optionalText.describe('Model the judge is asked for.'),
    JUDGE_API_KEY: optionalText.describe('Key for the judge’s server, where it wants one.'),
    TRAINER_HEALTH_PORT: integer(0, 65535)
      .default(0)
      .describe('Port of the trainer’s health and metrics page; 0 picks a free one.'),
  },
  retention: {
    RETENTION_RESPONSES_DAYS: integer(0, 36_500)
      .default(30)
      .describe(
        'Days a stored response can be retrieved and gone on from; 0: for ever. Answers, feedback and conversations stay.',
      ),
    RETENTION_BATCH_FILES_DAYS: integer(0, 36_500)
      .default(30)
      .describe('Days after which the files of batches expire where the request does not say; 0: never.'),
    RETENTION_IDEMPOTENCY_DAYS: integer(0, 36_500)
      .default(1)
      .describe('Days an idempotency key is remembered; 0: for ever.'),
    RETENTION_WEBHOOKS_DAYS: integer(0, 36_500)
      .default(30)
      .describe('Days webhook events are kept after they were told or given up; 0: for ever.'),
  },
  security: {
    ADMIN_KEY: optionalText.describe('Presets the first admin key instead of a random one (at least 16 characters).'),
    MODERATION_RULES: optionalText.describe(
      'JSON file of rules for /v1/moderations, [{category, pattern, weight}]; left out: a few plain ones for English.',
    ),
  },
  logging: {
    LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('Least severe log line that is written.'),
    LOG_FILES: flag
      .default(true)
      .describe('Whether gateway and trainer log to DATA_DIR/logs under `npm start`; false: to standard output.'),
  },
} as const;

type Settings = typeof settings;
type Group<G> = { [K in keyof G as CamelCase<K & string>]: G[K] extends z.ZodType ? z.output<G[K]> : never };
type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<S>;

/** The environment a child process gets: this one's, with these changes (undefined takes a variable away). */
export function childEnvironment(changes: Record<string, string | undefined>): Record<string, string | undefined> {
  return { ...process.env, ...changes };
}

/** Sets what native libraries of this process will read. A worker thread cannot: its environment is a copy. */
export function tellNativeLibraries(name: string, value: string): void {
  process.env[name] = value;
}

/** The parsed settings, grouped, names in camelCase: `config.http.port`, `config.model.engineSlots`. */
export type Config = { [K in keyof Settings]: Group<Settings[K]> };

const camelCase = (name: string) =>
  name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/**
 * Reads all settings from the environment, once a process.
 * @throws InvalidRequestError naming every wrong setting, not only the first.
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const problems: string[] = [];
  const read = (name: string, schema: z.ZodType) => {
    const text = environment[name];
    const result = schema.safeParse(text === '' ? undefined : text);
    if (!result.success)
      problems.push(`${name}=${text}: ${result.error.issues.map((issue) => issue.message).join(', ')}`);
    return result.success ? result.data : undefined;
  };
  const group = (fields: Record<string, z.ZodType>) =>
    Object.fromEntries(Object.entries(fields).map(([name, schema]) => [camelCase(name), read(name, schema)]));
  const config = Object.fromEntries(Object.entries(settings).map(([name, fields]) => [name, group(fields)]));
  const adminKey = environment.ADMIN_KEY?.trim();
  if (adminKey && adminKey.length < 16) problems.push('ADMIN_KEY: must have at least 16 characters');
  if (problems.length > 0) {
    throw new InvalidRequestError(`Settings that cannot be used:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  }
  return config as Config;
}
