import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModelFolder, resolveModel, type ModelFolder } from '@attune/checkpoint';
import { Engine } from '@attune/engine';
import { architectures, type ModelConfig, parseModelConfig } from '@attune/models';
import { type Config, InvalidRequestError } from '@attune/platform';
import { createRuntime, type Runtime } from '@attune/runtime';
import { Tokenizer } from '@attune/tokenizer';
import { type DeviceMemory, type FrozenSet, parameter, type ParameterSet } from '@attune/training';
import { trainerThreads } from '../threads.js';
import { findDevice, type TrainingDevice } from './training-device.js';

/** The frozen model under every adapter, in memory once for all recipes. */
export interface BaseModel {
  readonly name: string;
  readonly folder: string;
  readonly digest: string;
  readonly config: ModelConfig;
  /** config.json as it stands. */
  readonly rawConfig: unknown;
  readonly parameters: ParameterSet;
  /** The same in 8 bits, where a job trains over them. */
  readonly rounded?: FrozenSet;
  readonly tokenizer: Tokenizer;
  readonly runtime: Runtime;
  /** Threads that training, scoring and sampling share; never two of them at once. */
  readonly threads: number;
  /** Where training and scoring were found to belong; none: the CPU. */
  readonly device?: TrainingDevice;
  /** That device's memory, while a job uses it. */
  readonly memory?: DeviceMemory | undefined;
}

const bundledFolder = fileURLToPath(new URL('../../../../models/attune-mini', import.meta.url));

/** Loads the model the settings name. @throws AppError with one sentence when it cannot be found or read */
export async function loadBaseModel(settings: Config): Promise<BaseModel> {
  const { model, storage, tuning } = settings;
  const options = { dataDir: storage.dataDir, bundledFolder, token: model.hfToken, endpoint: model.hfEndpoint };
  const { folder, name } = await resolveModel(model.model, options);
  const files = await readModelFolder(folder, { digestCache: path.join(storage.dataDir, 'digests') });
  const config = parseModelConfig(files.config);
  const threads = trainerThreads(tuning);
  const runtime = createRuntime({ threads });
  return {
    name,
    folder,
    digest: files.digest,
    config,
    rawConfig: files.config,
    parameters: readParameters(files, config),
    tokenizer: await Tokenizer.fromFolder(folder),
    runtime: yielding(runtime),
    threads,
    device: await findDevice(runtime, tuning.trainerDevice),
  };
}

/** Sequences the sampler runs at once. */
const SLOTS = 16;

/** Sequences that the sampler runs at once, and their longest of `maxSeq` tokens that the model can read. */
export const samplerLimits = ({ config }: Pick<BaseModel, 'config'>, maxSeq: number) => ({
  slots: SLOTS,
  maxSeq: Math.min(maxSeq, config.maxPositions),
});

/**
 * The engine over the same weights in memory, for rollouts and evaluation. It samples exactly as serving does.
 * @param maxSeq longest sequence, prompt and answer together, in tokens
 */
export function loadEngine(model: BaseModel, maxSeq: number): Promise<Engine> {
  const { rawConfig, digest, parameters, runtime, threads } = model;
  const tensor = (name: string) => parameters.get(name)!;
  return Engine.load({
    model: { config: rawConfig, digest, tensor },
    format: model.rounded ? 'int8' : 'fp32',
    ...samplerLimits(model, maxSeq),
    threads,
    spinning: false,
    runtime,
  });
}

/** The runtime with threads that sleep when idle: the cores belong to serving. */
function yielding(runtime: Runtime): Runtime {
  const createSession: Runtime['createSession'] = (model, options) =>
    runtime.createSession(model, { spinning: false, ...options });
  return Object.assign(Object.create(runtime) as Runtime, { createSession });
}

/** A folder’s weights, in the order and of the shapes its architecture asks for. @throws InvalidRequestError */
export function readParameters(files: ModelFolder, config: ModelConfig): ParameterSet {
  const shapes = architectures[config.architecture]!.parameterShapes(config);
  return new Map(
    [...shapes].map(([name, shape]) => {
      const { data, shape: found } = files.tensor(name);
      if (found.join() !== shape.join())
        throw new InvalidRequestError(
          `\`${name}\` in ${files.dir} has the shape [${found}], its config.json asks for [${shape}]; the folder is damaged`,
        );
      return [name, parameter(shape, data)];
    }),
  );
}
